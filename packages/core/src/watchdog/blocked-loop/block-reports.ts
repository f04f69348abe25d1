import type { Dump, DumpBlock, DumpRequest } from '@hangwatch/protocol';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import { fingerprintOf } from '../diagnosis/fingerprint.ts';
import { blockDump, blockEndedDump } from '../reports/block-dump.ts';
import type { DumpBase } from '../reports/dump-base.ts';
import type { Outbox } from '../reports/outbox.ts';
import type { Watched } from '../table/scanner.ts';
import type { Texts } from '../table/texts.ts';
import type { FoundBlock } from './blocked-loop.ts';

interface Parts {
  readonly base: DumpBase;
  readonly outbox: Outbox;
  readonly texts: Texts;
  readonly nowMs: () => number;
  readonly inFlight: () => readonly Watched[];
}

/** Makes dumps of blocks, and has them leave. */
export class BlockReports {
  readonly #parts: Parts;
  /** For the one that tells the block's end. */
  #last: Dump | undefined;
  /** As the block was noticed. */
  #inFlightThen: readonly Watched[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A block is noticed. Returns whether anybody waits for its end. */
  noticed(): boolean {
    this.#inFlightThen = this.#parts.inFlight();
    return this.#inFlightThen.length > 0;
  }

  /** @returns the dump's id; `undefined` where it was held back, and counted */
  report({ block, evidence: paused, follows }: FoundBlock): string | undefined {
    const { base, outbox, nowMs } = this.#parts;
    const inFlight = this.#inFlight(block.running ?? block.lastRan);
    const evidence = new Map((paused?.requests ?? []).map((request) => [request.slot, request]));
    const fingerprint = this.#fingerprint(block, inFlight, evidence);
    const ran = this.#ran(block, follows);
    const build = () => blockDump(base, { block, inFlight, evidence, fingerprint, nowMs: nowMs(), ran, follows });
    // What completes a report belongs to it.
    const sent =
      follows === undefined ? outbox.reportAtOnce(fingerprint, inFlight.length, build) : outbox.send(build());
    if (sent !== undefined) this.#last = sent;
    return sent?.id;
  }

  /** The block that was last reported as `follows` is over. */
  ended(block: DumpBlock, follows: string): void {
    const { base, outbox, nowMs, inFlight } = this.#parts;
    const last = this.#last;
    if (last?.id !== follows) return;
    this.#last = undefined;
    outbox.send(blockEndedDump(base, block, last, inFlight(), nowMs()));
  }

  /** A report that comes late comes after the main thread has gone on: who blocked it may be gone, and another in its place. */
  #inFlight(blocking: number | undefined): readonly Watched[] {
    const now = this.#parts.inFlight();
    const then = this.#inFlightThen.find(({ reading }) => reading.request === blocking);
    if (then === undefined || now.some(({ reading }) => reading.request === blocking)) return now;
    return [then, ...now.filter(({ slot }) => slot !== then.slot)];
  }

  #ran(block: DumpBlock, follows: string | undefined): DumpRequest | undefined {
    return this.#last === undefined || this.#last.id !== follows || block.running === undefined
      ? undefined
      : this.#last.requests.find(({ id }) => id === block.running);
  }

  #fingerprint(block: DumpBlock, inFlight: readonly Watched[], evidence: ReadonlyMap<number, RequestEvidence>): string {
    // For sorting reports into groups, who ran last is good enough.
    const request = block.running ?? block.lastRan;
    const running = inFlight.find(({ reading }) => reading.request === request);
    const known = running === undefined ? undefined : evidence.get(running.slot);
    const text = (id: number | undefined) => (id === undefined ? '' : (this.#parts.texts.get(id) ?? ''));
    return fingerprintOf({
      evidence: 'loop-blocked',
      method: known?.method ?? text(running?.reading.method),
      route: known?.route ?? text(running?.reading.route),
      stacks: block.stack.length > 0 ? [block.stack] : [[causeFrame(block)]],
    });
  }
}

/** Without a stack, the cause stands for the place. */
const causeFrame = ({ cause }: DumpBlock) =>
  ({ function: cause, file: '', line: 0, column: 0, async: false, kind: 'app' }) as const;
