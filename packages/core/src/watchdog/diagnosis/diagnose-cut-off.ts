import type { DumpRequestVerdict } from '@hangwatch/protocol';
import type { CutOff, WatchdogSettings } from '../../shared/worker-protocol.ts';
import { diagnose } from './diagnose.ts';
import { seconds } from './duration-text.ts';

/** The verdict on a request that ended from outside before its timeout was over: what it would have been called, and how it ended. */
export function diagnoseCutOff(
  { evidence, elapsedMs, idleMs, timeoutMs, how }: CutOff,
  { scanIntervalMs, cwd }: Pick<WatchdogSettings, 'scanIntervalMs' | 'cwd'>,
): DumpRequestVerdict {
  const judgement = diagnose({
    suspicion: 'still',
    timeoutMs,
    idleMs,
    stalledMs: idleMs,
    outboundIdleMs: idleMs,
    elapsedMs,
    toleranceMs: scanIntervalMs,
    cwd,
    evidence,
  });
  const verdict = judgement.stuck ? judgement.verdict : { evidence: 'no-progress' as const, summary: 'stood still' };
  return {
    evidence: verdict.evidence,
    summary: `${how} after ${seconds(elapsedMs)}, before its timeout of ${seconds(timeoutMs)}; it ${verdict.summary}`,
  };
}
