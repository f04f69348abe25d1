import type { Dump } from '@hangwatch/protocol';
import { seconds } from '../diagnosis/duration-text.ts';
import { type DumpBase, nameOf } from './dump-base.ts';
import type { Ended } from './report-ledger.ts';

/** The dump of requests that were reported and have ended since, all of them in the same way. */
export function endedDump(base: DumpBase, ended: Ended, nowMs: number): Dump {
  const { kind, requests, last } = ended;
  const [one, many] = waysOf(ended);
  const [request] = requests;
  const summary =
    request === undefined || requests.length > 1
      ? `${requests.length} requests that were reported as stuck ${many}`
      : `${nameOf(request)} ${one} after ${seconds(request.elapsedMs)}; it had been reported as stuck`;
  return base.dump(
    kind,
    { about: ended.about, nowMs },
    {
      ...(last.selfTest === undefined ? {} : { selfTest: last.selfTest }),
      follows: last.id,
      verdict: { ...last.verdict, summary },
      requests: [...requests],
    },
  );
}

function waysOf({ kind, answeredStatus }: Ended): readonly [one: string, many: string] {
  if (answeredStatus !== undefined) {
    const answered = `answered ${answeredStatus} by hangwatch`;
    return [`was ${answered}`, `were ${answered}`];
  }
  return kind === 'recovered'
    ? ['finished', 'have finished']
    : ['was left by its client, or cut off,', 'were left by their clients, or cut off'];
}
