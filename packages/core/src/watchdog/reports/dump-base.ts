import { randomUUID } from 'node:crypto';
import {
  DUMP_SCHEMA_VERSION,
  type Dump,
  type DumpKind,
  type DumpProcess,
  type DumpRequest,
  type DumpRequestVerdict,
} from '@hangwatch/protocol';
import { clockAge } from '../../shared/slot-layout.ts';
import type { RequestEvidence, RequestOfInterest, WatchdogSettings } from '../../shared/worker-protocol.ts';
import type { RecentPast } from '../table/recent-past.ts';
import { elapsedMs, type Watched } from '../table/scanner.ts';
import type { Texts } from '../table/texts.ts';
import { cutToLimits } from './cut-to-limits.ts';

/** What a kind of dump has to say; of what it leaves out, nothing is known. */
export type DumpFields = Pick<Dump, 'verdict' | 'requests'> &
  Partial<Omit<Dump, 'schema' | 'kind' | 'at' | 'process' | 'recorder'>>;

/** The requests that a dump is about, and the shared clock's time. */
export interface Around {
  readonly about: readonly RequestOfInterest[];
  readonly nowMs: number;
}

/** What all kinds of dumps are made of: who sends it, how a request is told, what happened before. */
export class DumpBase {
  readonly settings: WatchdogSettings;
  readonly #texts: Texts;
  readonly #past: RecentPast;

  constructor(settings: WatchdogSettings, texts: Texts, past: RecentPast) {
    this.settings = settings;
    this.#texts = texts;
    this.#past = past;
  }

  /** A dump, cut to what a collector takes. */
  dump(kind: DumpKind, { about, nowMs }: Around, fields: DumpFields): Dump {
    const now = new Date();
    return cutToLimits({
      schema: DUMP_SCHEMA_VERSION,
      id: randomUUID(),
      kind,
      at: now.toISOString(),
      process: this.#process(now),
      recorder: this.#past.describe(about, nowMs),
      evidence: { complete: true, tookMs: 0 },
      eventLoop: { delayP99Ms: 0, utilization: 0 },
      resources: {},
      suppressed: { dumps: 0, requests: 0 },
      ...fields,
    });
  }

  /** A request in flight: stuck, if there is a verdict on it. */
  request(
    watched: Watched,
    evidence: RequestEvidence | undefined,
    nowMs: number,
    verdict?: DumpRequestVerdict,
  ): DumpRequest {
    const { reading } = watched;
    const known = evidence?.generation === watched.generation ? evidence : undefined;
    const route = known?.route ?? this.#texts.get(reading.route) ?? '(not known)';
    const label = known?.checkpoint.label ?? this.#texts.get(reading.checkpoint) ?? '(not known)';
    // One report, one moment: its evidence was taken a while ago.
    const atMs = known === undefined ? nowMs : nowMs - clockAge(Math.round(nowMs), known.takenAtMs);
    const idleMs = Math.max(0, atMs - watched.movedAtMs);
    return {
      id: reading.request,
      method: known?.method ?? this.#texts.get(reading.method) ?? '',
      route,
      path: known?.path ?? route,
      state: verdict === undefined ? 'moving' : 'stuck',
      elapsedMs: Math.max(elapsedMs(watched, atMs), idleMs),
      idleMs,
      timeoutMs: reading.timeoutMs,
      checkpoint: { ...known?.checkpoint, label, ageMs: clockAge(Math.round(atMs), reading.checkpointMs) },
      ...fieldsOf(known),
      ...(verdict === undefined ? {} : { verdict }),
    };
  }

  /** Whose event loop it is. */
  get threadName(): string {
    const { threadId } = this.settings;
    return threadId === 0 ? 'the main thread' : `worker thread ${threadId}`;
  }

  #process(now: Date): DumpProcess {
    const { settings } = this;
    return {
      service: settings.service,
      hostname: settings.hostname,
      pid: settings.pid,
      ...(settings.threadId === 0 ? {} : { threadId: settings.threadId }),
      ...(settings.clusterWorker === undefined ? {} : { clusterWorker: settings.clusterWorker }),
      instance: settings.instance,
      node: settings.nodeVersion,
      version: settings.serviceVersion,
      hangwatch: settings.hangwatchVersion,
      cwd: settings.cwd,
      uptimeMs: Math.max(0, Math.round(now.getTime() - settings.startedAtMs)),
      ...(settings.noAwaitStacks === undefined ? {} : { noAwaitStacks: settings.noAwaitStacks }),
    };
  }
}

/** What only the main thread knows of a request. */
export function fieldsOf(known: RequestEvidence | undefined) {
  if (known === undefined) return { stacks: [], awaits: [], waitsFor: [] };
  const { traceId, requestId, trail, omittedAwaits, notesPromises } = known;
  return {
    ...(traceId === undefined ? {} : { traceId }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(trail.length === 0 ? {} : { trail }),
    stacks: known.stacks,
    awaits: known.awaits,
    ...(omittedAwaits === 0 ? {} : { omittedAwaits }),
    waitsFor: known.waitsFor,
    ...(known.holds === undefined || known.holds.length === 0 ? {} : { holds: known.holds }),
    layer: known.layer,
    error: known.error,
    pending: known.pending,
    seenAt: known.seenAt,
    ...(notesPromises === true ? { notesPromises: true } : {}),
  };
}

/** `GET /reports/:id`. */
export const nameOf = ({ method, route }: DumpRequest): string => `${method} ${route}`;
