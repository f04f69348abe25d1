import { kInspectorPort } from '../../shared/slot-layout.ts';
import type { WatchdogSettings } from '../../shared/worker-protocol.ts';
import type { SourceMapper } from '../source-maps/source-mapper.ts';
import type { BlockedLoopParts } from './blocked-loop.ts';
import { debuggerAttached } from './debugger-attached.ts';
import { cpuMsOf, helperThreads } from './helper-threads.ts';
import { openMainThreadSession } from './inspector-session.ts';
import { readKernelThread } from './kernel-thread.ts';
import { type ProcFiles, procFiles } from './proc-files.ts';
import { sleepingIn } from './sleeping-in.ts';
import { type StackOutcome, TakeStack } from './take-stack.ts';

/** How the watched thread is looked at from outside. */
export type BlockProbe = Pick<
  BlockedLoopParts,
  'readKernel' | 'readSleep' | 'debuggerAttached' | 'takeStack' | 'whyNoStack' | 'mayHang'
>;

/** How long a report waits for its sources: what matters first is that it is out. */
const MAPPING_MS = 150;

/** The real one: the kernel, and Node's inspector. */
export function createBlockProbe(
  settings: WatchdogSettings,
  header: Uint32Array,
  sources: Pick<SourceMapper, 'map'>,
  mayHang: () => boolean,
  proc: ProcFiles = procFiles,
): BlockProbe {
  const { kernelThread, threadId, blockedLoopStack } = settings;
  const helpers = helperThreads(proc, settings.pid, settings.helperPoolSize);
  const readKernel = () => {
    const reading = kernelThread === undefined ? undefined : readKernelThread(proc, kernelThread);
    return reading && { ...reading, helperCpuMs: cpuMsOf(helpers, proc) };
  };
  // The inspector of a worker leads to the main thread, and not to the worker that started this one.
  const takesStack = blockedLoopStack && threadId === 0;
  return {
    readKernel,
    mayHang,
    readSleep: (reading, forMs) => sleepingIn(reading, proc, kernelThread ?? 0, forMs),
    debuggerAttached: () =>
      debuggerAttached({ open: Atomics.load(header, kInspectorPort), planned: process.debugPort }, proc),
    whyNoStack: blockedLoopStack
      ? 'no stack: the event loop is that of a worker thread, whose inspector cannot be reached from here'
      : 'no stack: blockedLoop.stack is off',
    takeStack: takesStack
      ? (stillBlocked) => {
          const taking = new TakeStack({
            open: openMainThreadSession,
            nowMs: () => performance.now(),
            cpuWaitMs: () => readKernel()?.cpuWaitMs ?? 0,
            stillBlocked,
          });
          return { outcome: inSources(taking.outcome, sources), cancel: () => taking.cancel() };
        }
      : undefined,
  };
}

async function inSources(outcome: Promise<StackOutcome>, sources: Pick<SourceMapper, 'map'>): Promise<StackOutcome> {
  const taken = await outcome;
  if (taken.type !== 'stack') return taken;
  const mapped = sources.map(taken).then(({ value }) => value);
  return Promise.race([mapped, new Promise<StackOutcome>((resolve) => setTimeout(resolve, MAPPING_MS, taken))]);
}
