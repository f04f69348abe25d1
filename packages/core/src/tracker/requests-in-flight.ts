import { messageOf } from '../message-of.ts';
import {
  clockSince,
  kBeganAtEntry,
  kCheckpoint,
  kCheckpointMs,
  kEntered,
  kFlags,
  kGeneration,
  kInFlight,
  kMaxDurationMs,
  kMethod,
  kOutbound,
  kProgress,
  kRequest,
  kRoute,
  kSequence,
  kStartMs,
  kTimeoutMs,
} from '../shared/slot-layout.ts';
import type { SlotRef, ToWatchdog } from '../shared/worker-protocol.ts';
import type { LastLook } from './evidence/last-look.ts';
import type { Rules } from './options/rules.ts';
import type { Site } from './places/site.ts';
import { RequestRecord } from './request-record.ts';
import type { Subject } from './subject.ts';
import type { Slot } from './table/in-flight-table.ts';
import type { StringTable } from './table/string-table.ts';
import type { Tracker } from './tracker.ts';

interface Parts {
  readonly tracker: Tracker;
  readonly strings: StringTable;
  /** Where every request is at first. */
  readonly entered: Site;
  readonly lastLook: LastLook;
  readonly post: (message: ToWatchdog) => void;
}

/** Has requests enter into slots of the table and leave them: what is written at a request's beginning, and told at its end. */
export class RequestsInFlight {
  /** By slot number. */
  readonly records: (RequestRecord | undefined)[] = [];
  readonly #parts: Parts;
  #nextId = 1;
  #tableFull = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** `undefined` where the table is full, which is said once. */
  enter(subject: Subject, rules: Rules): RequestRecord | undefined {
    const { tracker } = this.#parts;
    const { table } = tracker;
    const slot = table.acquire();
    if (slot === undefined) {
      if (!this.#tableFull)
        tracker.problem('HANGWATCH_ERR_TABLE_FULL', 'the table of requests is full: further ones are not watched');
      this.#tableFull = true;
      return undefined;
    }
    let record: RequestRecord;
    try {
      record = this.#begin(slot, subject, rules);
    } catch (error) {
      table.giveBack(slot);
      throw error;
    }
    this.records[slot.index] = record;
    table.publish(slot);
    const { header } = table;
    header[kEntered] = (header[kEntered] as number) + 1;
    Atomics.add(header, kInFlight, 1);
    return record;
  }

  #begin(slot: Slot, subject: Subject, rules: Rules): RequestRecord {
    const { tracker, strings, entered } = this.#parts;
    const { cells, base } = slot;
    const nowMs = tracker.clock[0] as number;
    const id = this.#nextId++;
    const record = new RequestRecord(id, tracker, slot, subject, rules);
    try {
      record.site = entered;
      record.trail.pass(entered, nowMs);
      cells[base + kSequence] = 0;
      cells[base + kProgress] = 0;
      cells[base + kOutbound] = 0;
      cells[base + kRequest] = id;
      cells[base + kMethod] = strings.intern(subject.method);
      cells[base + kRoute] = 0;
      cells[base + kCheckpoint] = entered.id;
      cells[base + kCheckpointMs] = nowMs;
      cells[base + kStartMs] = nowMs;
      cells[base + kTimeoutMs] = rules.timeoutMs;
      cells[base + kMaxDurationMs] = rules.maxDurationMs;
      cells[base + kFlags] = 0;
      if (rules.isSpecial) record.applyRules();
      cells[base + kBeganAtEntry] = tracker.recorder.written;
      subject.entered(record);
      if (tracker.notesPromises(record)) record.captureCreations();
      return record;
    } catch (error) {
      record.clear();
      throw error;
    }
  }

  /** See {@link RequestRecord.leave}. */
  leave(record: RequestRecord, finished: boolean): void {
    const { slot } = record;
    if (slot === undefined) return;
    this.#lookOnce(record, finished);
    this.#tell(record, slot, finished);
    this.#free(record, slot);
  }

  /** The request in a slot, if it is still the one that is meant. */
  find({ slot, generation }: SlotRef): RequestRecord | undefined {
    const record = this.records[slot];
    return record?.slot !== undefined && record.cells[record.base + kGeneration] === generation ? record : undefined;
  }

  /** None of them is tracked any more. */
  forgetAll(): void {
    for (const record of [...this.records]) {
      if (record?.slot === undefined) continue;
      const { subject, slot } = record;
      const finished = subject?.howEnded();
      // Whoever still has a client may be answered yet: of those nothing is known.
      if (finished !== undefined) this.#tell(record, slot, finished);
      this.#free(record, slot);
    }
  }

  /** Whatever fails, the request leaves. */
  #lookOnce(record: RequestRecord, finished: boolean): void {
    const { tracker, lastLook } = this.#parts;
    try {
      lastLook.take(record, finished);
    } catch (error) {
      tracker.problem('HANGWATCH_ERR_INTERNAL', `a last look failed: ${messageOf(error)}`, error);
    }
  }

  /** How the request ended. */
  #tell(record: RequestRecord, { index, cells, base }: Slot, finished: boolean): void {
    const { clock, recorder } = this.#parts.tracker;
    const startMs = cells[base + kStartMs] as number;
    if (record.reported) {
      this.#parts.post({
        type: 'left',
        slot: index,
        generation: cells[base + kGeneration] as number,
        finished,
        answeredStatus: record.answeredStatus,
        elapsedMs: clockSince(clock[0] as number, startMs),
      });
    }
    const [method, route] = [cells[base + kMethod] as number, cells[base + kRoute] as number];
    recorder.requestEnded(record.id, method, route, startMs, cells[base + kBeganAtEntry] as number, finished);
  }

  #free(record: RequestRecord, slot: Slot): void {
    const { table } = this.#parts.tracker;
    this.records[slot.index] = undefined;
    // First the record stops writing to the slot, then the slot is free for the next request.
    record.clear();
    table.release(slot);
    Atomics.sub(table.header, kInFlight, 1);
    record.rules.onLeft?.(record);
  }
}
