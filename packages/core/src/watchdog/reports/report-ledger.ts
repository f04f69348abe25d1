import type { Dump, DumpRequest } from '@hangwatch/protocol';
import type { RequestOfInterest, SlotRef, ToWatchdog } from '../../shared/worker-protocol.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { ofInterest } from '../table/recent-past.ts';

/** What is remembered of the dump that last reported a request. */
export type LastReport = Pick<Dump, 'id' | 'verdict' | 'selfTest'>;

/** A request that was reported, until it ends: without its stacks, since it may hang for as long as the process lives. */
interface Reported {
  readonly request: DumpRequest;
  readonly began: RequestOfInterest;
  readonly last: LastReport;
}

/** Reported requests that have ended in the same way after the same report. */
export interface Ended {
  readonly kind: 'recovered' | 'gone';
  /** The status that hangwatch answered with in their place. */
  readonly answeredStatus: number | undefined;
  readonly last: LastReport;
  readonly requests: readonly DumpRequest[];
  /** The same, for the flight recorder. */
  readonly about: readonly RequestOfInterest[];
}

interface EndedGroup extends Ended {
  readonly requests: DumpRequest[];
  readonly about: RequestOfInterest[];
}

/** Which requests have been reported, in which dump, and which of them have ended since. */
export class ReportLedger {
  readonly #reported = new Map<string, Reported>();
  readonly #ended = new Map<string, EndedGroup>();

  /** Notes what a dump has reported. */
  add(findings: readonly Finding[], dump: Dump): void {
    const last: LastReport = { id: dump.id, verdict: dump.verdict, selfTest: dump.selfTest };
    const byNumber = new Map(dump.requests.map((request) => [request.id, request]));
    for (const { watched } of findings) {
      const request = byNumber.get(watched.reading.request);
      if (request === undefined) continue;
      const began = ofInterest(watched);
      this.#reported.set(keyOf(watched), { request: { ...request, stacks: [], awaits: [] }, began, last });
    }
  }

  /** The request has ended, and nobody will tell of it. */
  forget(ref: SlotRef): void {
    this.#reported.delete(keyOf(ref));
  }

  /** The dump that all of these were last reported in, if there is one. */
  commonDump(findings: readonly Finding[]): string | undefined {
    const ids = new Set(findings.map(({ watched }) => this.#reported.get(keyOf(watched))?.last.id));
    return ids.size === 1 ? [...ids][0] : undefined;
  }

  /** The dump that last reported one of these: of the first of them that was reported at all. */
  lastDump(requests: readonly SlotRef[]): string | undefined {
    for (const ref of requests) {
      const reported = this.#reported.get(keyOf(ref));
      if (reported !== undefined) return reported.last.id;
    }
    return undefined;
  }

  /** A request has ended. `true` where that has to be told, and nothing else was waiting to be. */
  left({ slot, generation, finished, answeredStatus, elapsedMs }: Extract<ToWatchdog, { type: 'left' }>): boolean {
    const key = keyOf({ slot, generation });
    const reported = this.#reported.get(key);
    if (reported === undefined) return false;
    this.#reported.delete(key);
    const { last, request, began } = reported;
    const kind = finished && answeredStatus === undefined ? 'recovered' : 'gone';
    const ended: DumpRequest = {
      ...request,
      state: 'moving',
      elapsedMs: Math.max(elapsedMs, request.elapsedMs),
      idleMs: 0,
    };
    const isFirst = this.#ended.size === 0;
    const groupKey = `${kind} ${answeredStatus} ${last.id}`;
    const group = this.#ended.get(groupKey);
    if (group === undefined) {
      this.#ended.set(groupKey, { kind, answeredStatus, last, requests: [ended], about: [began] });
    } else {
      group.requests.push(ended);
      group.about.push(began);
    }
    return isFirst;
  }

  /** What has ended since the last call: one entry for each dump to send. */
  takeEnded(): Ended[] {
    const ended = [...this.#ended.values()];
    this.#ended.clear();
    return ended;
  }
}

const keyOf = ({ slot, generation }: SlotRef): string => `${slot}:${generation}`;
