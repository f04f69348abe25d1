import type { Dump } from '@hangwatch/protocol';
import { formatDuration, heldByText, requestTitle } from '@hangwatch/report';
import { type Html, html } from './html.ts';

const MAX_CYCLES = 10;
const MAX_EDGES = 100;

/** Deadlocks edge by edge: who waits for what, and who holds it. */
export function waitForSection({ waitFor, requests }: Dump): Html | false {
  if (waitFor === undefined || waitFor.cycles.length === 0) return false;
  const byId = new Map(requests.map((request) => [request.id, request]));
  const titleOf = (id: number) => {
    const request = byId.get(id);
    return request === undefined ? `#${id}` : requestTitle(request);
  };
  const lists = waitFor.cycles.slice(0, MAX_CYCLES).map((cycle) => {
    const edges = cycle.slice(0, MAX_EDGES).flatMap((index) => waitFor.edges[index] ?? []);
    return html`<ol>${edges.map(
      (edge) =>
        html`<li><a href="#request-${edge.request}">${titleOf(edge.request)}</a> waits for <b>${edge.waitsFor}</b> for ${formatDuration(edge.sinceMs)}, ${heldByText(edge)}</li>`,
    )}</ol>`;
  });
  return html`<section><h2>Deadlock</h2><p>None of these can ever go on.</p>${lists}</section>`;
}
