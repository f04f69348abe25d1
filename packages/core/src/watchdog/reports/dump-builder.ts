import { randomUUID } from 'node:crypto';
import {
  DUMP_SCHEMA_VERSION,
  type Dump,
  type DumpBlock,
  type DumpCrash,
  type DumpKind,
  type DumpProcess,
  type DumpRequest,
  type DumpRequestVerdict,
} from '@hangwatch/protocol';
import { clockAge } from '../../shared/slot-layout.ts';
import {
  type CutOff,
  MAX_REQUESTS,
  type RequestEvidence,
  type WatchdogSettings,
} from '../../shared/worker-protocol.ts';
import { crashVerdict } from '../diagnosis/crash-verdict.ts';
import { EVIDENCE_ORDER } from '../diagnosis/diagnose.ts';
import { seconds } from '../diagnosis/duration-text.ts';
import { poolSentence, threadPoolOf } from '../diagnosis/thread-pool.ts';
import type { Gathered } from '../table/main-thread.ts';
import type { RecentPast, RequestOfInterest } from '../table/recent-past.ts';
import { elapsedMs, type Watched } from '../table/scanner.ts';
import { cutToLimits } from './cut-to-limits.ts';
import type { Ended } from './report-ledger.ts';

/** Texts by id, as the main thread interned them. */
export type Texts = ReadonlyMap<number, string>;

/** A request found stuck. */
export interface Finding {
  readonly watched: Watched;
  readonly verdict: DumpRequestVerdict;
  readonly fingerprint: string;
  /** Where it stands, for telling two hangs of one request apart. */
  readonly place: string;
}

/** What is remembered of the dump that last reported a request. */
export type LastReport = Pick<Dump, 'id' | 'verdict' | 'selfTest'>;

/** Requests in the dump of one that was cut off. */
const MAX_BYSTANDERS = 1_000;
/** Requests shown of a process that ends, the oldest. */
const MAX_CRASH_REQUESTS = 200;
const NO_LOOP = { delayP99Ms: 0, utilization: 0 };

/** Puts dumps together from what the table, the main thread and the diagnosis say. */
export class DumpBuilder {
  readonly #settings: WatchdogSettings;
  readonly #texts: Texts;
  readonly #past: RecentPast;

  constructor(settings: WatchdogSettings, texts: Texts, past: RecentPast) {
    this.#settings = settings;
    this.#texts = texts;
    this.#past = past;
  }

  /** The dump of a scan that found hangs. `inFlight` holds every request, the stuck ones included. */
  hang(
    findings: readonly Finding[],
    inFlight: readonly Watched[],
    gathered: Gathered,
    fingerprint: string,
    nowMs: number,
  ): Dump {
    const bySlot = new Map(findings.map((finding) => [finding.watched.slot, finding]));
    const stuck = findings
      .slice(0, MAX_REQUESTS)
      .map((finding) =>
        this.#request(finding.watched, gathered.requests.get(finding.watched.slot), nowMs, finding.verdict),
      );
    const moving = inFlight
      .filter(({ slot }) => !bySlot.has(slot))
      .slice(0, Math.max(0, MAX_REQUESTS - stuck.length))
      .map((watched) => this.#request(watched, gathered.requests.get(watched.slot), nowMs, undefined));
    const evidence =
      EVIDENCE_ORDER.find((each) => findings.some(({ verdict }) => verdict.evidence === each)) ?? 'no-progress';
    const left = inFlight.length - stuck.length - moving.length;
    const incomplete = gathered.complete
      ? left > 0 && `${left} more requests are in flight than a dump holds`
      : gathered.requests.size === 0
        ? `the main thread did not answer within ${Math.round(gathered.tookMs)} ms: the event loop is blocked, or too busy`
        : `the main thread answered for ${gathered.requests.size} requests, and then no more for too long`;
    const pool = threadPoolOf(gathered.resources, this.#settings.poolSize);
    const notes = [incomplete, gathered.note].filter((each) => typeof each === 'string');
    const note = notes.length > 0 && notes.join('; ');
    return cutToLimits({
      ...this.#frame('hang'),
      verdict: { evidence, summary: `${summaryOf(stuck)}${poolSentence(pool)}`, fingerprint },
      requests: [...stuck, ...moving],
      recorder: this.#past.describe(
        findings.map(({ watched }) => ofInterest(watched)),
        nowMs,
      ),
      evidence: { complete: gathered.complete, tookMs: gathered.tookMs, ...(note === false ? {} : { note }) },
      eventLoop: gathered.eventLoop,
      resources: gathered.resources,
      ...(pool === undefined ? {} : { threadPool: pool }),
      suppressed: { dumps: 0, requests: 0 },
    });
  }

  /** The dump of everything in flight, of which nothing is said to be stuck. */
  snapshot(inFlight: readonly Watched[], gathered: Gathered, nowMs: number): Dump {
    const requests = inFlight
      .slice(0, MAX_REQUESTS)
      .map((watched) => this.#request(watched, gathered.requests.get(watched.slot), nowMs, undefined));
    const oldest = requests.reduce<DumpRequest | undefined>(
      (a, b) => (a === undefined || b.elapsedMs > a.elapsedMs ? b : a),
      undefined,
    );
    const summary =
      oldest === undefined
        ? 'nothing is in flight'
        : `${inFlight.length} in flight; the oldest, ${nameOf(oldest)}, for ${(oldest.elapsedMs / 1_000).toFixed(1)} s`;
    return cutToLimits({
      ...this.#frame('snapshot'),
      verdict: { evidence: 'on-request', summary },
      requests,
      evidence: { complete: gathered.complete, tookMs: gathered.tookMs },
      eventLoop: gathered.eventLoop,
      resources: gathered.resources,
      suppressed: { dumps: 0, requests: 0 },
    });
  }

  /** The dump of a request that ended from outside before it could be reported. Of the others, what the table says. */
  cutOff(cut: CutOff, verdict: DumpRequestVerdict, inFlight: readonly Watched[], nowMs: number, note?: string): Dump {
    const { evidence, request, elapsedMs, idleMs, timeoutMs, checkpointAgeMs } = cut;
    const others = inFlight
      .filter(({ reading }) => reading.request !== request)
      .slice(0, MAX_BYSTANDERS)
      .map((watched) => this.#request(watched, undefined, nowMs, undefined));
    const one: DumpRequest = {
      id: request,
      method: evidence.method,
      route: evidence.route,
      path: evidence.path,
      ...fieldsOf(evidence),
      state: 'stuck',
      elapsedMs: Math.max(elapsedMs, idleMs),
      idleMs,
      timeoutMs,
      checkpoint: { ...evidence.checkpoint, ageMs: checkpointAgeMs },
      verdict,
    };
    return cutToLimits({
      ...this.#frame('gone'),
      verdict,
      requests: [one, ...others],
      evidence: { complete: true, tookMs: 0, ...(note === undefined ? {} : { note }) },
      eventLoop: NO_LOOP,
      resources: {},
      suppressed: { dumps: 0, requests: 0 },
    });
  }

  /**
   * The dump of a process that ends, or that may have ended when this is read.
   *
   * @param id the same for all dumps of one process's end, of which the first counts
   */
  crash(id: string, crash: DumpCrash, inFlight: readonly Watched[], follows: string | undefined, nowMs: number): Dump {
    const oldestFirst = [...inFlight].sort((a, b) => elapsedMs(b, nowMs) - elapsedMs(a, nowMs));
    const shown = oldestFirst.slice(0, MAX_CRASH_REQUESTS);
    const requests = shown.map((watched) => this.#request(watched, undefined, nowMs, undefined));
    const left = inFlight.length - shown.length;
    return cutToLimits({
      ...this.#frame('crash'),
      id,
      ...(follows === undefined ? {} : { follows }),
      verdict: crashVerdict(crash, requests, inFlight.length, this.#settings.cwd),
      requests,
      crash,
      recorder: this.#past.describe(shown.map(ofInterest), nowMs),
      evidence: {
        complete: true,
        tookMs: 0,
        ...(left === 0 ? {} : { note: `${left} more requests were in flight than are shown` }),
      },
      eventLoop: NO_LOOP,
      resources: {},
      suppressed: { dumps: 0, requests: 0 },
    });
  }

  /** The dump of requests that were reported and have ended since, all of them in the same way. */
  ended({ kind, requests, last, answeredStatus }: Ended): Dump {
    const [request] = requests;
    const [one, many] =
      answeredStatus !== undefined
        ? [`was answered ${answeredStatus} by hangwatch`, `were answered ${answeredStatus} by hangwatch`]
        : kind === 'recovered'
          ? ['finished', 'have finished']
          : ['was left by its client', 'were left by their clients'];
    const summary =
      request === undefined || requests.length > 1
        ? `${requests.length} requests that were reported as stuck ${many}`
        : `${nameOf(request)} ${one} after ${(request.elapsedMs / 1_000).toFixed(1)} s; it had been reported as stuck`;
    return {
      ...this.#frame(kind),
      ...(last.selfTest === undefined ? {} : { selfTest: last.selfTest }),
      follows: last.id,
      verdict: { ...last.verdict, summary },
      requests: [...requests],
      evidence: { complete: true, tookMs: 0 },
      eventLoop: NO_LOOP,
      resources: {},
      suppressed: { dumps: 0, requests: 0 },
    };
  }

  /**
   * The dump of an event loop that stands still. The request whose code runs, or ran last, comes first: only of the former is it known, and said.
   *
   * @param ran that request as an earlier dump of the same block has it
   */
  block(
    block: DumpBlock,
    inFlight: readonly Watched[],
    evidence: ReadonlyMap<number, RequestEvidence>,
    fingerprint: string,
    nowMs: number,
    ran: DumpRequest | undefined,
  ): Dump {
    const blocked = `blocked for ${seconds(block.sinceMs)}`;
    const verdict = { evidence: 'loop-blocked', summary: `${block.what}; the event loop has been ${blocked}` } as const;
    const suspect = block.running ?? block.lastRan;
    const isSuspect = ({ reading }: Watched) => reading.request === suspect;
    const ordered = [...inFlight].sort((a, b) => Number(isSuspect(b)) - Number(isSuspect(a)));
    const present = ordered
      .slice(0, MAX_REQUESTS)
      .map((watched) =>
        this.#request(
          watched,
          evidence.get(watched.slot),
          nowMs,
          watched.reading.request === block.running ? verdict : undefined,
        ),
      );
    // It may have finished while its stack was on its way.
    const requests = ran === undefined || present.some(({ id }) => id === ran.id) ? present : [ran, ...present];
    const [first] = requests;
    const named = first === undefined ? '' : `#${first.id} ${nameOf(first)}`;
    const who = first?.state === 'stuck' ? named : this.#threadName();
    // It may have ended since.
    const lastRan = first !== undefined && first.id === block.lastRan ? `; last ran: ${named}` : '';
    const left = inFlight.length - present.length;
    return cutToLimits({
      ...this.#frame('loop-block'),
      verdict: {
        evidence: 'loop-blocked',
        summary: `the event loop has been ${blocked}, with ${plural(inFlight.length)} in flight: ${who} ${block.what}${lastRan}`,
        fingerprint,
      },
      requests,
      recorder: this.#past.describe(inFlight.filter(isSuspect).map(ofInterest), nowMs),
      evidence: {
        complete: evidence.size > 0,
        tookMs: 0,
        ...(left > 0 ? { note: `${left} more requests are in flight than a dump holds` } : {}),
      },
      eventLoop: { delayP99Ms: block.sinceMs, utilization: 1 },
      resources: {},
      block,
      suppressed: { dumps: 0, requests: 0 },
    });
  }

  /** The dump that tells the end of a block. */
  blockEnded(block: DumpBlock, last: LastReport): Dump {
    return cutToLimits({
      ...this.#frame('recovered'),
      follows: last.id,
      verdict: {
        ...last.verdict,
        summary: `the event loop turns again; it was blocked for ${seconds(block.sinceMs)}: ${block.what}`,
      },
      requests: [],
      evidence: { complete: true, tookMs: 0 },
      eventLoop: NO_LOOP,
      resources: {},
      block,
      suppressed: { dumps: 0, requests: 0 },
    });
  }

  #threadName(): string {
    const { threadId } = this.#settings;
    return threadId === 0 ? 'the main thread' : `worker thread ${threadId}`;
  }

  #frame(kind: DumpKind) {
    const now = new Date();
    return {
      schema: DUMP_SCHEMA_VERSION,
      id: randomUUID(),
      kind,
      at: now.toISOString(),
      process: this.#process(now),
    } as const;
  }

  #process(now: Date): DumpProcess {
    const {
      service,
      hostname,
      pid,
      threadId,
      clusterWorker,
      instance,
      nodeVersion,
      serviceVersion,
      hangwatchVersion,
      startedAtMs,
      cwd,
    } = this.#settings;
    return {
      service,
      hostname,
      pid,
      ...(threadId === 0 ? {} : { threadId }),
      ...(clusterWorker === undefined ? {} : { clusterWorker }),
      instance,
      node: nodeVersion,
      version: serviceVersion,
      hangwatch: hangwatchVersion,
      cwd,
      uptimeMs: Math.max(0, Math.round(now.getTime() - startedAtMs)),
    };
  }

  #request(
    watched: Watched,
    evidence: RequestEvidence | undefined,
    nowMs: number,
    verdict: DumpRequestVerdict | undefined,
  ): DumpRequest {
    const { reading } = watched;
    const known = evidence?.generation === watched.generation ? evidence : undefined;
    const route = known?.route ?? this.#texts.get(reading.route) ?? '(not known)';
    const label = known?.checkpoint.label ?? this.#texts.get(reading.checkpoint) ?? '(not known)';
    const idleMs = Math.max(0, nowMs - watched.movedAtMs);
    return {
      id: reading.request,
      method: known?.method ?? this.#texts.get(reading.method) ?? '',
      route,
      path: known?.path ?? route,
      state: verdict === undefined ? 'moving' : 'stuck',
      elapsedMs: Math.max(elapsedMs(watched, nowMs), idleMs),
      idleMs,
      timeoutMs: reading.timeoutMs,
      checkpoint: { ...known?.checkpoint, label, ageMs: clockAge(Math.round(nowMs), reading.checkpointMs) },
      ...fieldsOf(known),
      ...(verdict === undefined ? {} : { verdict }),
    };
  }
}

const ofInterest = ({ reading: { request, method, route, startMs, beganAt } }: Watched): RequestOfInterest => ({
  request,
  method,
  route,
  startMs,
  beganAt,
});
/** What only the main thread knows of a request. */
function fieldsOf(known: RequestEvidence | undefined) {
  if (known === undefined) return { stacks: [], awaits: [], waitsFor: [] };
  const {
    traceId,
    requestId,
    trail,
    stacks,
    awaits,
    omittedAwaits,
    waitsFor,
    layer,
    error,
    pending,
    seenAt,
    notesPromises,
  } = known;
  return {
    ...(traceId === undefined ? {} : { traceId }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(trail.length === 0 ? {} : { trail }),
    stacks,
    awaits,
    ...(omittedAwaits === 0 ? {} : { omittedAwaits }),
    waitsFor,
    layer,
    error,
    pending,
    seenAt,
    ...(notesPromises === true ? { notesPromises: true } : {}),
  };
}

const plural = (requests: number): string => `${requests} ${requests === 1 ? 'request' : 'requests'}`;
const nameOf = ({ method, route }: DumpRequest): string => `${method} ${route}`;

/** The sentence a person reads first. */
function summaryOf(stuck: readonly DumpRequest[]): string {
  const oldest = stuck.reduce((a, b) => (b.idleMs > a.idleMs ? b : a));
  const sentence = `${nameOf(oldest)} ${oldest.verdict?.summary ?? 'is stuck'}`;
  return stuck.length === 1 ? sentence : `${stuck.length} requests are stuck; the oldest, ${sentence}`;
}
