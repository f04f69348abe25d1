import type { Claim, SharedResource, WaitSnapshot } from '../../shared/wait-snapshot.ts';

/** The claims of one resource, in the order in which they came. */
interface Queue {
  readonly waiting: Claim[];
  readonly held: Claim[];
}

/**
 * Who can never move again, by index of party: in no order of grants, releases and time-outs whatsoever is any of them granted what it waits
 * for. The detection of Coffman, Elphick and Shoshani for resources of several units: begin with those that may move, let each release all it
 * holds, see whom that serves, and go on until nobody is added (https://doi.org/10.1145/356586.356588).
 *
 * Whatever is not known counts as able to move: it can hide a deadlock and never invent one.
 *
 * **What makes it a proof.** Of each party that is returned: all its awaits are claims that wait without a time-out or what leads to one (`waitsOnly`),
 * so that it goes on only if one of them is granted; no order of grants grants one; and no callback of its own can end one of its claims, neither
 * release what it holds, which is what keeps the others waiting, nor cancel what it waits for (`mayEndBy`). The premise that no snapshot can show is that of every lock: what is held is not released, and what
 * waits is not cancelled, by code that has no part in it. See `docs/deadlocks.md`.
 *
 * @param callbacks `ignored`: as if there were none, which gives what looks like a deadlock
 */
export function neverMove(
  { parties, resources, claims }: WaitSnapshot,
  callbacks: 'run' | 'ignored' = 'run',
): ReadonlySet<number> {
  const queues = resources.map((): Queue => ({ waiting: [], held: [] }));
  const touchedBy = parties.map(() => new Set<number>());
  const waiting = new Set<number>();
  for (const each of claims) {
    const claim = callbacks === 'run' || each.mayEndBy === undefined ? each : { ...each, mayEndBy: undefined };
    // What may be released at any time keeps nobody waiting for ever.
    if (claim.state === 'held' && claim.mayEndBy !== undefined) continue;
    queues[claim.resource]?.[claim.state].push(claim);
    touchedBy[claim.party]?.add(claim.resource);
    if (claim.state === 'waiting') waiting.add(claim.party);
  }
  for (const [index, { endedBy }] of resources.entries()) for (const party of endedBy) touchedBy[party]?.add(index);
  const stuck = new Set(
    [...parties.keys()].filter((each) => {
      const party = parties[each];
      return party?.kind === 'request' && party.waitsOnly && waiting.has(each);
    }),
  );
  // Each of these may serve somebody who is not known to move yet.
  const pending = new Set(resources.keys());
  for (const index of pending) {
    pending.delete(index);
    const [resource, queue] = [resources[index], queues[index]];
    if (resource === undefined || queue === undefined) continue;
    for (const served of servedBy(resource, queue, stuck)) {
      stuck.delete(served);
      // What it holds it may release; of what it waits for others may be served, who were behind it.
      for (const touched of touchedBy[served] ?? []) pending.add(touched);
    }
  }
  return stuck;
}

/** Which of the stuck waiters are granted what they want once everybody else has released what they hold. */
function servedBy(resource: SharedResource, { waiting, held }: Queue, stuck: ReadonlySet<number>): number[] {
  const { capacity, reentrant, fair, endedBy } = resource;
  const trusted = resource.trusted && endedBy.every((party) => stuck.has(party));
  const kept = new Map<number, number>();
  let keptByAll = 0;
  for (const { party, amount } of held) {
    if (!stuck.has(party)) continue;
    keptByAll += amount;
    kept.set(party, (kept.get(party) ?? 0) + amount);
  }
  const served: number[] = [];
  let blocked = false;
  for (const { party, amount, timesOutMs, mayEndBy } of waiting) {
    if (!stuck.has(party)) continue;
    // More than there is waits for the capacity to grow: of that nothing is known.
    if (timesOutMs !== undefined || mayEndBy !== undefined || !trusted || amount > capacity) {
      served.push(party);
      continue;
    }
    const own = reentrant ? (kept.get(party) ?? 0) : 0;
    if (blocked && own === 0) continue;
    if (amount <= capacity - (keptByAll - own)) served.push(party);
    else if (fair) blocked = true;
  }
  return served;
}
