import type { DumpRequest, DumpWaitEdge, DumpWaitFor } from '@hangwatch/protocol';

/** Requests named in one sentence. */
const MOST_NAMED = 4;

/**
 * The sentence about the first deadlock: `deadlock: GET /reports and GET /flush wait for each other (lock "logging", import ./feature.mjs)`.
 *
 * @returns `undefined` where there is none
 */
export function deadlockSentence(
  requests: readonly DumpRequest[],
  waitFor: DumpWaitFor | undefined,
): string | undefined {
  const [cycle] = waitFor?.cycles ?? [];
  if (waitFor === undefined || cycle === undefined) return undefined;
  const edges = cycle.map((index) => waitFor.edges[index]).filter((edge): edge is DumpWaitEdge => edge !== undefined);
  const names = new Map(requests.map(({ id, method, route }) => [id, `${method} ${route}`]));
  const nameOf = (id: number) => names.get(id) ?? `#${id}`;
  const things = [...new Set(edges.map(({ waitsFor }) => waitsFor))].slice(0, MOST_NAMED).join(', ');
  const [first] = edges;
  if (first === undefined) return undefined;
  const others = waitFor.cycles.length === 1 ? '' : `; and ${waitFor.cycles.length - 1} more`;
  if (edges.length === 1)
    return `deadlock: ${nameOf(first.request)} waits for ${things}, which it holds itself${others}`;
  const named = edges.slice(0, MOST_NAMED).map(({ request }) => nameOf(request));
  const left = edges.length - named.length;
  const last = left > 0 ? `${left} more` : named.pop();
  return `deadlock: ${named.join(', ')} and ${last} wait for each other (${things})${others}`;
}
