import type { DumpFrame, DumpRequestVerdict } from '@hangwatch/protocol';
import { resourceText } from '../../shared/resource-text.ts';
import type { Claim, Party, SharedResource, WaitSnapshot } from '../../shared/wait-snapshot.ts';
import { seconds } from '../diagnosis/duration-text.ts';
import { type ShortPath, shortPathsBelow } from '../diagnosis/places.ts';
import { type HeldModules, heldModules } from './held-modules.ts';
import { holderName, type WaitGraph, waitGraph } from './wait-graph.ts';

/** Why a request stands still that waits for a lock or a pool. */
export interface WaitVerdict {
  readonly verdict: DumpRequestVerdict;
  /** For how long it has been waiting. */
  readonly sinceMs: number;
  /** It can never go on. */
  readonly proven: boolean;
}

/** What a snapshot means for the dump, and for each request in it that waits. */
export interface JudgedWaits {
  readonly graph?: WaitGraph;
  /** By number of the request. */
  readonly verdicts?: ReadonlyMap<number, WaitVerdict>;
  readonly modules?: HeldModules;
}

/** Judges who waits for what. A pure function. */
export function judgeWaits(snapshot: WaitSnapshot | undefined, cwd: string): JudgedWaits {
  if (snapshot === undefined) return {};
  const graph = waitGraph(snapshot);
  const verdicts = new Map<number, WaitVerdict>();
  const short = shortPathsBelow(cwd);
  const queues = snapshot.resources.map((resource) => new Queue(resource, snapshot.parties));
  for (const claim of snapshot.claims) queues[claim.resource]?.add(claim);
  for (const claim of snapshot.claims) {
    const party = snapshot.parties[claim.party];
    if (claim.state !== 'waiting' || party?.kind !== 'request') continue;
    const proven = graph.deadlocked.has(party.request);
    const found = queues[claim.resource]?.verdict(claim, proven ? graph.deadlocked : undefined, short);
    const verdict = graph.suspected.has(claim.party) ? suspected(found, snapshot, graph) : found;
    const known = verdicts.get(party.request);
    // Of several waits the youngest: it is the one after which nothing came.
    if (verdict === undefined || (known !== undefined && known.sinceMs <= claim.sinceMs)) continue;
    verdicts.set(party.request, { verdict, sinceMs: claim.sinceMs, proven });
  }
  return { graph, verdicts, modules: heldModules(snapshot) };
}

/** It looks like a deadlock, and is not proven: why not. */
function suspected(
  verdict: DumpRequestVerdict | undefined,
  { claims, parties }: WaitSnapshot,
  { suspected }: WaitGraph,
): DumpRequestVerdict | undefined {
  const loose = claims.find(({ party, mayEndBy }) => mayEndBy !== undefined && suspected.has(party));
  const who = parties[loose?.party ?? -1];
  if (verdict === undefined || loose === undefined || who === undefined) return verdict;
  const summary = `${verdict.summary}; it looks like a deadlock, which ${loose.mayEndBy} of ${who.name} (#${who.request}) could still end`;
  return { ...verdict, summary };
}

/** One resource, with who has it and who wants it. */
class Queue {
  readonly #resource: SharedResource;
  readonly #parties: readonly Party[];
  readonly #held: Claim[] = [];
  #waiting = 0;

  constructor(resource: SharedResource, parties: readonly Party[]) {
    this.#resource = resource;
    this.#parties = parties;
  }

  add(claim: Claim): void {
    if (claim.state === 'held') this.#held.push(claim);
    else this.#waiting += 1;
  }

  /**
   * Why this wait lasts; `undefined` where it is not for somebody's holding it.
   *
   * @param deadlocked numbers of the requests that can never go on, if that of this wait is among them
   */
  verdict(wait: Claim, deadlocked: ReadonlySet<number> | undefined, short: ShortPath): DumpRequestVerdict | undefined {
    const [oldest] = [...this.#held].sort((a, b) => b.sinceMs - a.sinceMs);
    if (oldest === undefined) return undefined;
    const used = this.#held.reduce((sum, { amount }) => sum + amount, 0);
    const { type, name, capacity } = this.#resource;
    const what = resourceText(type, name);
    const until = wait.timesOutMs === undefined ? '' : `; it gives up in ${seconds(wait.timesOutMs)}`;
    if (deadlocked !== undefined) {
      // Of several holders one that can never go on: another may, which does not help.
      const kept = this.#oldestOf(deadlocked);
      const own = this.#held.every(({ party }) => party === wait.party);
      return {
        evidence: 'proven-cycle',
        summary: own
          ? `waits for ${what}, which it holds itself`
          : kept === undefined
            ? `waits for ${what}, and can never be served`
            : `waits for ${what}, ${this.#by(kept, short)}, and neither can go on`,
      };
    }
    if (used + wait.amount <= capacity) return undefined;
    const leaked = this.#held.filter(({ party }) => this.#parties[party]?.kind === 'ended');
    const evidence =
      leaked.length > 0 ? 'leaked' : capacity > 1 && capacity <= MOST_OF_A_POOL ? 'pool-exhausted' : 'no-progress';
    if (this.#held.length === 1 || capacity > MOST_OF_A_POOL)
      return { evidence, summary: `waits for ${what}, ${this.#by(oldest, short)}${until}` };
    const shown = leaked[0] ?? oldest;
    const lost = leaked.length === 0 ? '' : `, ${leaked.length} of them by requests that have ended`;
    const which = leaked.length === 0 ? 'oldest' : 'one';
    return {
      evidence,
      summary: `waits for ${what}, which is exhausted: ${used} of ${capacity} held${lost}, ${which} ${this.#by(shown, short)}, ${this.#waiting} waiting${until}`,
    };
  }

  #oldestOf(requests: ReadonlySet<number>): Claim | undefined {
    const held = this.#held.filter(({ party }) => {
      const { kind, request } = this.#parties[party] ?? {};
      return kind === 'request' && request !== undefined && requests.has(request);
    });
    return held.sort((a, b) => b.sinceMs - a.sinceMs)[0];
  }

  /** `held by GET /export (#3) for 41.0 s (acquired at src/db.ts:18:20)`. */
  #by({ party, sinceMs, site }: Claim, short: ShortPath): string {
    const holder = this.#parties[party];
    const who =
      holder === undefined
        ? 'nobody'
        : holder.kind === 'request'
          ? `${holder.name} (#${holder.request})`
          : holderName(holder);
    return `held by ${who} for ${seconds(sinceMs)}${acquiredAt(site, short)}`;
  }
}

/** Above this it is no pool: readers of a lock. */
const MOST_OF_A_POOL = 1_000_000;

const acquiredAt = (site: DumpFrame | undefined, short: ShortPath): string =>
  site === undefined ? '' : ` (acquired at ${short(site.file)}:${site.line}:${site.column})`;
