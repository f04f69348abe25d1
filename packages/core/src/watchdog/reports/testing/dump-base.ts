import { recorderBytes } from '../../../shared/recorder-layout.ts';
import { HEADER_CELLS } from '../../../shared/slot-layout.ts';
import { WORKER_PROTOCOL_VERSION } from '../../../shared/worker-protocol.ts';
import { ClockPauses } from '../../table/clock-pauses.ts';
import { RecentPast } from '../../table/recent-past.ts';
import { RecorderReader } from '../../table/recorder-reader.ts';
import { DumpBase } from '../dump-base.ts';

/** What dumps are made of, of a process in which nothing has happened before. */
export function testingDumpBase(scanIntervalMs = 100): DumpBase {
  const texts = new Map<number, string>();
  const past = new RecentPast(
    new RecorderReader(new SharedArrayBuffer(recorderBytes(64))),
    texts,
    new ClockPauses(),
    scanIntervalMs,
  );
  const settings = {
    version: WORKER_PROTOCOL_VERSION,
    header: new SharedArrayBuffer(HEADER_CELLS * 4),
    recorder: new SharedArrayBuffer(recorderBytes(64)),
    scanIntervalMs,
    evidenceWaitMs: 500,
    collectors: [],
    token: undefined,
    spoolDir: undefined,
    service: 'shop',
    serviceVersion: '1.0.0',
    hangwatchVersion: '0.1.0',
    instance: 'i-1',
    hostname: 'h',
    pid: 1,
    threadId: 0,
    kernelThread: undefined,
    clusterWorker: undefined,
    poolSize: 4,
    helperPoolSize: 4,
    blockedLoopMs: 0,
    blockedLoopStack: true,
    pauses: { everyMs: 60_000, share: 0.01 },
    cwd: '/app',
    nodeVersion: 'v20.20.0',
    noAwaitStacks: undefined,
    startedAtMs: Date.now(),
    notifyHang: false,
    keepsRecord: true,
  } as const;
  return new DumpBase(settings, texts, past);
}
