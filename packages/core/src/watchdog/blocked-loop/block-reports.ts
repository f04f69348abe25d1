import type { Dump, DumpBlock, DumpRequest } from '@hangwatch/protocol';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import { fingerprintOf } from '../diagnosis/fingerprint.ts';
import type { DumpBuilder, Texts } from '../reports/dump-builder.ts';
import type { StormControl } from '../reports/storm-control.ts';
import type { Watched } from '../table/scanner.ts';
import type { FoundBlock } from './blocked-loop.ts';

interface Parts {
  readonly dumps: DumpBuilder;
  readonly storm: StormControl;
  readonly texts: Texts;
  readonly nowMs: () => number;
  readonly inFlight: () => readonly Watched[];
  readonly deliver: (dump: Dump) => void;
}

/** Makes dumps of blocks, and has storm control decide which of them leave. */
export class BlockReports {
  readonly #parts: Parts;
  /** Verdict and fingerprint of the last dump, for the one that tells the block's end. */
  #last: Dump | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @returns the dump's id; `undefined` where it was held back, and counted */
  report({ block, evidence, follows }: FoundBlock): string | undefined {
    const { dumps, storm, nowMs, inFlight, deliver } = this.#parts;
    const requests = new Map((evidence?.requests ?? []).map((request) => [request.slot, request]));
    const watched = inFlight();
    const fingerprint = this.#fingerprint(block, watched, requests);
    // What completes a report belongs to it.
    if (follows === undefined && !storm.admitAtOnce(fingerprint, watched.length, nowMs())) return undefined;
    const dump = {
      ...dumps.block(block, watched, requests, fingerprint, nowMs(), this.#ran(block, follows)),
      follows,
      suppressed: storm.takeSuppressed(),
    };
    deliver(dump);
    this.#last = dump;
    return dump.id;
  }

  /** The block that was last reported as `follows` is over. */
  ended(block: DumpBlock, follows: string): void {
    const last = this.#last;
    if (last?.id !== follows) return;
    this.#last = undefined;
    this.#parts.deliver(this.#parts.dumps.blockEnded(block, last));
  }

  #ran(block: DumpBlock, follows: string | undefined): DumpRequest | undefined {
    return this.#last === undefined || this.#last.id !== follows || block.running === undefined
      ? undefined
      : this.#last.requests.find(({ id }) => id === block.running);
  }

  #fingerprint(block: DumpBlock, inFlight: readonly Watched[], requests: ReadonlyMap<number, RequestEvidence>): string {
    // For sorting reports into groups, who ran last is good enough.
    const request = block.running ?? block.lastRan;
    const running = inFlight.find(({ reading }) => reading.request === request);
    const known = running === undefined ? undefined : requests.get(running.slot);
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
