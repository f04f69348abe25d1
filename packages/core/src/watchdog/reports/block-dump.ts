import type { Dump, DumpBlock, DumpRequest } from '@hangwatch/protocol';
import { MAX_REQUESTS, type RequestEvidence } from '../../shared/worker-protocol.ts';
import { seconds } from '../diagnosis/duration-text.ts';
import { ofInterest } from '../table/recent-past.ts';
import type { Watched } from '../table/scanner.ts';
import { type DumpBase, nameOf } from './dump-base.ts';
import type { LastReport } from './report-ledger.ts';

/** An event loop that stands still. */
export interface BlockFindings {
  readonly block: DumpBlock;
  readonly inFlight: readonly Watched[];
  /** By slot, where the main thread could be asked. */
  readonly evidence: ReadonlyMap<number, RequestEvidence>;
  readonly fingerprint: string;
  readonly nowMs: number;
  /** The request that runs, as an earlier dump of the same block has it. */
  readonly ran: DumpRequest | undefined;
  /** That dump. */
  readonly follows: string | undefined;
}

/** The dump of it. The request whose code runs, or ran last, comes first: only of the former is it known, and said. */
export function blockDump(base: DumpBase, found: BlockFindings): Dump {
  const { block, inFlight, evidence, fingerprint, nowMs, ran, follows } = found;
  const blocked = `blocked for ${seconds(block.sinceMs)}`;
  const verdict = { evidence: 'loop-blocked', summary: `${block.what}; the event loop has been ${blocked}` } as const;
  const suspect = block.running ?? block.lastRan;
  const isSuspect = ({ reading }: Watched) => reading.request === suspect;
  const ordered = [...inFlight].sort((a, b) => Number(isSuspect(b)) - Number(isSuspect(a)));
  const present = ordered.slice(0, MAX_REQUESTS).map((watched) => {
    const runs = watched.reading.request === block.running;
    return base.request(watched, evidence.get(watched.slot), nowMs, runs ? verdict : undefined);
  });
  // It may have finished while its stack was on its way.
  const requests = ran === undefined || present.some(({ id }) => id === ran.id) ? present : [ran, ...present];
  const [first] = requests;
  const named = first === undefined ? '' : `#${first.id} ${nameOf(first)}`;
  const who = first?.state === 'stuck' ? named : base.threadName;
  // It may have ended since.
  const lastRan = first !== undefined && first.id === block.lastRan ? `; last ran: ${named}` : '';
  const left = inFlight.length - present.length;
  return base.dump(
    'loop-block',
    { about: inFlight.filter(isSuspect).map(ofInterest), nowMs },
    {
      follows,
      verdict: {
        evidence: 'loop-blocked',
        summary: `the event loop has been ${blocked}, with ${plural(inFlight.length)} in flight: ${who} ${block.what}${lastRan}`,
        fingerprint,
      },
      requests,
      evidence: {
        complete: evidence.size > 0,
        tookMs: 0,
        ...(left > 0 ? { note: `${left} more requests are in flight than a dump holds` } : {}),
      },
      eventLoop: { delayP99Ms: block.sinceMs, utilization: 1 },
      block,
    },
  );
}

/** The dump that tells the end of a block. */
export function blockEndedDump(
  base: DumpBase,
  block: DumpBlock,
  last: LastReport,
  inFlight: readonly Watched[],
  nowMs: number,
): Dump {
  return base.dump(
    'recovered',
    { about: inFlight.map(ofInterest), nowMs },
    {
      follows: last.id,
      verdict: {
        ...last.verdict,
        summary: `the event loop turns again; it was blocked for ${seconds(block.sinceMs)}: ${block.what}`,
      },
      requests: [],
      block,
    },
  );
}

const plural = (requests: number): string => `${requests} ${requests === 1 ? 'request' : 'requests'}`;
