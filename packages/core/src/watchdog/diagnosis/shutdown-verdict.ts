import type { DumpVerdict } from '@hangwatch/protocol';
import type { Closing, RequestEvidence, ResourceCounts, WatchdogSettings } from '../../shared/worker-protocol.ts';
import { elapsedMs, type Watched } from '../table/scanner.ts';
import { diagnose } from './diagnose.ts';
import { seconds } from './duration-text.ts';
import { digest } from './fingerprint.ts';

/** Routes, or kinds of handles, that tell one shutdown from another. */
const TELLING = 3;
/** Kinds of handles that are named. */
const NAMED = 8;
const OPEN_ENDED = 'is an event stream or an upgraded connection: it ends when one of its sides closes it';

/** What people call what `process.getActiveResourcesInfo()` names. https://nodejs.org/api/process.html#processgetactiveresourcesinfo */
const NAMES: Readonly<Record<string, readonly [one: string, many: string]>> = {
  TCPServerWrap: ['listening server', 'listening servers'],
  PipeServerWrap: ['listening server', 'listening servers'],
  TCPSocketWrap: ['connection', 'connections'],
  TLSWrap: ['TLS connection', 'TLS connections'],
  PipeWrap: ['pipe', 'pipes'],
  TTYWrap: ['terminal', 'terminals'],
  Timeout: ['timer', 'timers'],
  ProcessWrap: ['child process', 'child processes'],
  Worker: ['worker thread', 'worker threads'],
  MessagePort: ['message port', 'message ports'],
  FSEventWrap: ['file watcher', 'file watchers'],
};

/** What a shutdown's sentence is made of. */
export interface ShutdownCase {
  readonly closing: Closing;
  /** Oldest first. */
  readonly inFlight: readonly Watched[];
  /** By slot. */
  readonly evidence: ReadonlyMap<number, RequestEvidence>;
  readonly resources: ResourceCounts;
  readonly nowMs: number;
}

/** Says what holds an application that does not get closed: the requests in flight, or else what keeps its process. */
export function shutdownVerdict(
  { closing, inFlight, evidence, resources, nowMs }: ShutdownCase,
  settings: Pick<WatchdogSettings, 'scanIntervalMs' | 'cwd'>,
): DumpVerdict {
  const begun = `${closing.what} has taken ${seconds(closing.sinceMs)} and is not done`;
  const holds = (watched: Watched) => evidence.get(watched.slot)?.openEnded !== true;
  // What will not end by itself says less than what ought to.
  const named = inFlight.find(holds) ?? inFlight[0];
  if (named === undefined) {
    const kinds = Object.keys(resources).sort();
    return {
      evidence: 'not-closed',
      summary: `${begun}: no request is in flight; ${openText(resources)}`,
      fingerprint: digest(['not-closed', closing.what, ...kinds.slice(0, TELLING)]),
    };
  }
  const { method = '', route = '(not known)' } = evidence.get(named.slot) ?? {};
  const who = `${method} ${route} for ${seconds(elapsedMs(named, nowMs))}, which ${standing(named, evidence.get(named.slot), nowMs, settings)}`;
  const many = inFlight.length > 1;
  const streams = inFlight.filter((watched) => !holds(watched)).length;
  const beside =
    many && streams > 0
      ? `; ${streams} of them ${streams === 1 ? 'is an event stream' : 'are event streams'} or upgraded`
      : '';
  const routes = inFlight.map(({ slot }) => evidence.get(slot)).map((each) => `${each?.method} ${each?.route}`);
  return {
    evidence: 'not-closed',
    summary: `${begun}: ${many ? `${inFlight.length} requests are in flight; the oldest, ` : 'one request is in flight, '}${who}${beside}`,
    fingerprint: digest(['not-closed', closing.what, ...[...new Set(routes)].slice(0, TELLING).sort()]),
  };
}

/** What it would be called if it were stuck. */
function standing(
  watched: Watched,
  evidence: RequestEvidence | undefined,
  nowMs: number,
  { scanIntervalMs, cwd }: Pick<WatchdogSettings, 'scanIntervalMs' | 'cwd'>,
): string {
  const judgement = diagnose({
    suspicion: 'still',
    timeoutMs: watched.reading.timeoutMs,
    idleMs: Math.max(0, nowMs - watched.movedAtMs),
    stalledMs: Math.max(0, nowMs - watched.advancedAtMs),
    outboundIdleMs: Math.max(0, nowMs - watched.outboundAtMs),
    elapsedMs: elapsedMs(watched, nowMs),
    toleranceMs: scanIntervalMs,
    cwd,
    evidence,
  });
  return judgement.stuck ? judgement.verdict.summary : OPEN_ENDED;
}

/** `open are 3 connections (TCPSocketWrap), one timer (Timeout)`. */
function openText(resources: ResourceCounts): string {
  const counts = Object.entries(resources).sort(([, a], [, b]) => b - a);
  if (counts.length === 0) return 'nothing that keeps the process is seen';
  const named = counts.slice(0, NAMED).map(([type, count]) => {
    const [one, many] = NAMES[type] ?? [];
    if (one === undefined) return `${count} ${type}`;
    return `${count} ${count === 1 ? one : many} (${type})`;
  });
  if (counts.length > NAMED) named.push(`${counts.length - NAMED} more kinds`);
  return `the process is kept by ${named.join(', ')}`;
}
