import { DUMP_LIMITS, type DumpWaitEdge, type DumpWaitFor } from '@hangwatch/protocol';
import { resourceText } from '../../shared/resource-text.ts';
import type { Claim, Party, SharedResource, WaitSnapshot } from '../../shared/wait-snapshot.ts';
import { neverMove } from './never-move.ts';

/** Holders shown of one thing that somebody waits for. */
const MAX_HOLDERS = 16;

/** What the wait-for graph says. */
export interface WaitGraph {
  /** Numbers of the requests that can never go on: proven. */
  readonly deadlocked: ReadonlySet<number>;
  /** Parties that look deadlocked, by index: only a callback of one of them could still end it, as far as is known. */
  readonly suspected: ReadonlySet<number>;
  /** Edges and cycles, as a dump has them. */
  readonly waitFor: DumpWaitFor;
}

/** Somebody who has to go on before a claim is granted. */
interface Blocker {
  readonly claim: Claim;
  /** It waits ahead, and holds nothing of it. */
  readonly ahead: boolean;
}

/** Judges a snapshot. A pure function. */
export function waitGraph(snapshot: WaitSnapshot): WaitGraph {
  const { parties, claims } = snapshot;
  const stuck = neverMove(snapshot);
  const blockers = new Blockers(snapshot, stuck);
  const edges = new Edges(snapshot);
  const waits = claims.filter(({ state, party }) => state === 'waiting' && parties[party]?.kind === 'request');
  const cycles = findCycles(waits, stuck, blockers).slice(0, DUMP_LIMITS.cycles);
  const shownCycles = cycles.map((cycle) => cycle.map(([wait, blocker]) => edges.indexOf(wait, blocker)));
  // Who is part of a deadlock first: there may be more edges than a dump holds.
  const rest = [...waits.filter(({ party }) => stuck.has(party)), ...waits.filter(({ party }) => !stuck.has(party))];
  for (const wait of rest) for (const blocker of blockers.of(wait)) edges.indexOf(wait, blocker);
  return {
    deadlocked: new Set([...stuck].map((party) => parties[party]?.request ?? 0)),
    suspected: claims.some(({ mayEndBy }) => mayEndBy !== undefined)
      ? new Set([...neverMove(snapshot, 'ignored')].filter((party) => !stuck.has(party)))
      : new Set(),
    waitFor: {
      edges: edges.list.slice(0, DUMP_LIMITS.edges),
      cycles: shownCycles.filter((cycle) => cycle.every((edge) => edge < DUMP_LIMITS.edges)),
    },
  };
}

/** Who holds something, where that is no request in flight. */
export function holderName({ kind, name }: Party): string {
  if (kind === 'outside') return 'work outside any request';
  return `${name === '' ? 'a request' : name}, which has ended`;
}

class Blockers {
  readonly #stuck: ReadonlySet<number>;
  readonly #resources: readonly SharedResource[];
  readonly #holders: readonly Claim[][];
  readonly #queues: readonly Claim[][];

  constructor({ resources, claims }: WaitSnapshot, stuck: ReadonlySet<number>) {
    this.#stuck = stuck;
    this.#resources = resources;
    this.#holders = resources.map(() => []);
    this.#queues = resources.map(() => []);
    for (const claim of claims) (claim.state === 'held' ? this.#holders : this.#queues)[claim.resource]?.push(claim);
    // Who can never release comes first, and then who has held it for longest.
    for (const list of this.#holders)
      list.sort((a, b) => Number(stuck.has(b.party)) - Number(stuck.has(a.party)) || b.sinceMs - a.sinceMs);
  }

  /** Who has to go on before this claim is granted, others before its own party. */
  of(wait: Claim): Blocker[] {
    const held = this.#inTheWayOf(wait);
    const ahead = this.#aheadOf(wait);
    const fits = sum(held) + wait.amount <= this.#capacity(wait);
    const blockers = fits ? [] : held.slice(0, MAX_HOLDERS).map((claim) => ({ claim, ahead: false }));
    return ahead === undefined ? blockers : [...blockers, { claim: ahead, ahead: true }];
  }

  /** The first of them that can never go on either. */
  firstStuck(wait: Claim): Blocker | undefined {
    const kept = this.#inTheWayOf(wait).filter(
      ({ party, mayEndBy }) => this.#stuck.has(party) && mayEndBy === undefined,
    );
    const [first] = kept;
    if (first !== undefined && sum(kept) + wait.amount > this.#capacity(wait)) return { claim: first, ahead: false };
    const ahead = this.#aheadOf(wait);
    return ahead === undefined ? undefined : { claim: ahead, ahead: true };
  }

  #capacity({ resource }: Claim): number {
    return this.#resources[resource]?.capacity ?? 0;
  }

  /** What is held of the resource, others' first; without its own where that does not count. */
  #inTheWayOf({ resource, party }: Claim): Claim[] {
    const held = this.#holders[resource] ?? [];
    const others = held.filter((claim) => claim.party !== party);
    return this.#resources[resource]?.reentrant === true
      ? others
      : [...others, ...held.filter((claim) => claim.party === party)];
  }

  /** Where nobody overtakes, the first in the queue that can never go on: those in between wait for it as well. */
  #aheadOf(wait: Claim): Claim | undefined {
    const { reentrant, fair } = this.#resources[wait.resource] ?? {};
    if (fair !== true) return undefined;
    if (reentrant === true && this.#holders[wait.resource]?.some(({ party }) => party === wait.party)) return undefined;
    for (const claim of this.#queues[wait.resource] ?? []) {
      if (claim === wait) return undefined;
      if (this.#stuck.has(claim.party)) return claim;
    }
    return undefined;
  }
}

const sum = (claims: readonly Claim[]): number => claims.reduce((total, { amount }) => total + amount, 0);

type Step = readonly [wait: Claim, blocker: Blocker];

/** From each that can never go on to the first it waits for that cannot either: every such way ends in a cycle. */
function findCycles(waits: readonly Claim[], stuck: ReadonlySet<number>, blockers: Blockers): Step[][] {
  const steps = new Map<number, Step>();
  for (const wait of waits) {
    if (!stuck.has(wait.party) || steps.has(wait.party)) continue;
    const blocker = blockers.firstStuck(wait);
    if (blocker !== undefined) steps.set(wait.party, [wait, blocker]);
  }
  const cycles: Step[][] = [];
  const done = new Set<number>();
  for (const start of steps.keys()) {
    const way: number[] = [];
    const onWay = new Set<number>();
    let at = start;
    while (!done.has(at)) {
      done.add(at);
      onWay.add(at);
      way.push(at);
      at = steps.get(at)?.[1].claim.party ?? at;
    }
    if (!onWay.has(at)) continue;
    const cycle = way.slice(way.indexOf(at)).map((party) => steps.get(party));
    cycles.push(cycle.filter((step) => step !== undefined));
  }
  return cycles;
}

/** Each pair of a wait and what it waits for once. */
class Edges {
  readonly list: DumpWaitEdge[] = [];
  readonly #snapshot: WaitSnapshot;
  readonly #known = new Map<Claim, Map<Claim, number>>();

  constructor(snapshot: WaitSnapshot) {
    this.#snapshot = snapshot;
  }

  indexOf(wait: Claim, blocker: Blocker): number {
    let known = this.#known.get(wait);
    if (known === undefined) {
      known = new Map();
      this.#known.set(wait, known);
    }
    let index = known.get(blocker.claim);
    if (index === undefined) {
      index = this.list.push(this.#edge(wait, blocker)) - 1;
      known.set(blocker.claim, index);
    }
    return index;
  }

  #edge({ party, resource, sinceMs, timesOutMs, site }: Claim, { claim, ahead }: Blocker): DumpWaitEdge {
    const { parties, resources } = this.#snapshot;
    const holder = parties[claim.party];
    const held = resources[resource];
    return {
      request: parties[party]?.request ?? 0,
      waitsFor: held === undefined ? '' : resourceText(held.type, held.name),
      ...(holder?.kind === 'request' ? { heldBy: holder.request } : holder && { holder: holderName(holder) }),
      sinceMs,
      ...(timesOutMs === undefined ? {} : { timesOutMs }),
      ...(ahead ? { ahead } : { heldMs: claim.sinceMs }),
      ...(site === undefined ? {} : { site }),
      ...(ahead || claim.site === undefined ? {} : { heldSite: claim.site }),
    };
  }
}
