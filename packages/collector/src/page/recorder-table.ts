import type { Dump } from '@hangwatch/protocol';
import { formatDuration, recorderText } from '@hangwatch/report';
import { type Html, html } from './html.ts';

/** What happened before: the flight recorder's entries, oldest first. */
export function recorderTable({ recorder, requests }: Dump): Html | false {
  if (recorder === undefined || recorder.entries.length === 0) return false;
  const stuck = new Set(requests.filter(({ state }) => state === 'stuck').map(({ id }) => id));
  const rows = recorder.entries.map(
    (entry) => html`<tr class="${entry.request !== undefined && stuck.has(entry.request) ? 'stuck' : 'moving'}">
<td class="number">${formatDuration(entry.ageMs)}</td><td>${recorderText(entry, recorder)}</td></tr>`,
  );
  return html`
<section>
<h2>Before it</h2>
<details><summary>${recorder.entries.length} of ${recorder.entries.length + recorder.omitted} things that happened, back to ${formatDuration(recorder.reachMs)} ago</summary>
<div class="scroll" tabindex="0" role="region" aria-label="What happened before">
<table>
<thead><tr><th scope="col" class="number">Ago</th><th scope="col">What</th></tr></thead>
<tbody>${rows}</tbody>
</table></div></details>
</section>`;
}
