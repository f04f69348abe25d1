import type { Dump, DumpSuppressed } from '@hangwatch/protocol';
import type { DumpBase } from './dump-base.ts';

/** The dump that only says how much was held back. */
export function suppressedDump(base: DumpBase, suppressed: DumpSuppressed, nowMs: number): Dump {
  const { requests } = suppressed;
  const count = requests === 1 ? 'one more request has' : `${requests} more requests have`;
  return base.dump(
    'suppressed',
    { about: [], nowMs },
    {
      suppressed,
      verdict: {
        evidence: 'suppressed',
        summary: `${count} hung or been cut off since the last report: like those that were reported, or too many at once`,
      },
      requests: [],
    },
  );
}
