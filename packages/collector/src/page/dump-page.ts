import type { Dump, DumpRequest } from '@hangwatch/protocol';
import {
  checkpointText,
  earlierPlaces,
  errorText,
  formatDuration,
  frameText,
  holdText,
  isShownInFull,
  requestTitle,
  staleText,
  standing,
  threadPoolText,
  threadText,
  timestampText,
  trailText,
} from '@hangwatch/report';
import { badge, timeTag } from './badge.ts';
import { blockSection } from './block-section.ts';
import { type Html, html } from './html.ts';
import { layerFacts } from './layer-facts.ts';
import { layout } from './layout.ts';
import { recorderTable } from './recorder-table.ts';
import { stackList } from './stack-list.ts';
import { waitForSection } from './wait-for-section.ts';

const MAX_IN_FULL = 50;
const MAX_ROWS = 500;

/** A dump as a person reads it: the sentence, the stuck requests with their stacks, all requests in flight, the process. */
export function dumpPage(dump: Dump, now: Date): string {
  // Who stands where another does has nothing more to show than its row.
  const inFull = dump.requests.filter((request) => request.sameAs === undefined && isShownInFull(request, dump));
  const id = encodeURIComponent(dump.id);
  const body = html`
<article>
<h1>${badge(dump)} ${dump.verdict.summary}</h1>
<p class="facts">${origin(dump, now)}</p>
<p class="links"><a href="/v1/dumps/${id}">JSON</a> <a href="/dumps/${id}/text">Text</a>
${dump.follows !== undefined && html` <a href="/dumps/${encodeURIComponent(dump.follows)}">The report that this follows</a>`}</p>
${blockSection(dump)}
${crashFacts(dump)}
${waitForSection(dump)}
${
  inFull.length > 0 &&
  html`<section><h2>${inFull.some(({ state }) => state === 'stuck') ? 'Stuck' : 'Where they stood'}</h2>
${inFull.slice(0, MAX_IN_FULL).map((request) => inFullRequest(request, dump))}
${inFull.length > MAX_IN_FULL && html`<p class="quiet">${inFull.length - MAX_IN_FULL} more are in the table.</p>`}</section>`
}
${inFlightTable(dump)}
${recorderTable(dump)}
${processFacts(dump)}
</article>`;
  return layout({ title: `${dump.verdict.summary} · hangwatch`, body });
}

function crashFacts(dump: Dump): Html | false {
  const { error, running } = dump.crash ?? {};
  const stale = staleText(dump);
  if (error === undefined && stale === undefined && running === undefined) return false;
  const { cwd } = dump.process;
  return html`
<section><h2>How it ended</h2>
${stale !== undefined && html`<p>${capitalised(stale)}.</p>`}
${error !== undefined && html`<p><b>${errorText(error)}</b></p><figure class="stack"><ol>${error.frames.map((frame) => html`<li class="${frame.kind === 'app' ? 'app' : 'other'}"><code>${frameText(frame, cwd)}</code></li>`)}</ol></figure>`}
${running !== undefined && html`<p>In the context of #${running}.</p>`}
</section>`;
}

function origin(dump: Dump, now: Date): Html {
  const { service, version, hostname, pid, node, uptimeMs } = dump.process;
  const facts = [
    timeTag(dump.at, timestampText(dump.at, now)),
    service !== '' && html`<b>${service}</b> ${version}`,
    html`${hostname} · pid ${pid}${threadText(dump.process)}`,
    html`Node ${node.replace(/^v/, '')}`,
    html`up ${formatDuration(uptimeMs)}`,
  ].filter((fact) => fact !== false);
  return html`${facts.map((fact) => html`<span>${fact}</span> `)}`;
}

function inFullRequest(request: DumpRequest, dump: Dump): Html {
  const { cwd } = dump.process;
  const origin = [
    request.traceId !== undefined && `trace ${request.traceId}`,
    request.requestId !== undefined && `request id ${request.requestId}`,
  ].filter((text) => text !== false);
  return html`
<section class="request" id="request-${request.id}">
<h3>${requestTitle(request)} <span class="since">${formatDuration(request.elapsedMs)}</span></h3>
<p>${capitalised(standing(request, dump.verdict.evidence))}. Last passed ${checkpointText(request, { cwd })}.</p>
${trailList(request, cwd)}
${origin.length > 0 && html`<p class="quiet">${origin.join(', ')}</p>`}
${request.waitsFor.map(
  ({ type, label, sinceMs }) =>
    html`<p class="wait">waits for ${type} <b>${label}</b> for ${formatDuration(sinceMs)}</p>`,
)}
${(request.holds ?? []).map((hold) => html`<p class="wait">${holdText(hold, { cwd })}</p>`)}
${layerFacts(request, cwd)}
${stackList(request, dump)}
</section>`;
}

function trailList(request: DumpRequest, cwd: string | undefined): Html | false {
  const earlier = earlierPlaces(request);
  if (earlier.length === 0) return false;
  const places = earlier.map((entry) => html`<li>${trailText(entry, { cwd })}</li>`);
  return html`<details class="quiet"><summary>Before that it passed ${earlier.length}</summary><ol>${places}</ol></details>`;
}

function inFlightTable({ requests }: Dump): Html {
  const rows = requests.slice(0, MAX_ROWS).map(
    (request) => html`<tr class="${request.state}">
<td>${request.state}</td><td class="name">${requestTitle(request)}</td>
<td class="number">${formatDuration(request.elapsedMs)}</td><td class="number">${formatDuration(request.idleMs)}</td>
<td>${request.checkpoint.label}</td></tr>`,
  );
  return html`
<section>
<h2>In flight: ${requests.length}</h2>
${
  requests.length === 0
    ? html`<p class="quiet">None.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Requests in flight">
<table>
<thead><tr><th scope="col">State</th><th scope="col">Request</th><th scope="col" class="number">For</th><th scope="col" class="number">Idle</th><th scope="col">Last passed</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
${requests.length > MAX_ROWS && html`<p class="quiet">${requests.length - MAX_ROWS} more are in the JSON.</p>`}
</section>`;
}

function processFacts(dump: Dump): Html {
  const { eventLoop, evidence, suppressed } = dump;
  const resources = Object.entries(dump.resources).sort((a, b) => b[1] - a[1]);
  return html`
<section>
<h2>Process</h2>
<dl>
<dt>Event loop</dt><dd>p99 delay ${formatDuration(eventLoop.delayP99Ms)}, ${Math.round(eventLoop.utilization * 100)}% busy</dd>
${resources.length > 0 && html`<dt>Resources</dt><dd>${resources.map(([type, count]) => `${type} ${count}`).join(', ')}</dd>`}
${dump.threadPool !== undefined && html`<dt>Thread pool</dt><dd>${threadPoolText(dump.threadPool).replace(/^thread pool: /, '')}</dd>`}
${evidence && html`<dt>Evidence</dt><dd>${evidence.complete ? 'complete' : 'incomplete'}, taken in ${formatDuration(evidence.tookMs)}${evidence.note !== undefined && html`; ${evidence.note}`}</dd>`}
${(suppressed.dumps > 0 || suppressed.requests > 0) && html`<dt>Suppressed</dt><dd>${suppressed.dumps} dumps of ${suppressed.requests} requests since the last dump</dd>`}
<dt>Dump</dt><dd><code>${dump.id}</code></dd>
</dl>
</section>`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
