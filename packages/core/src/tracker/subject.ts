import type { ClientEvidence } from '../shared/worker-protocol.ts';
import type { Rules } from './options/rules.ts';
import type { RequestRecord } from './request-record.ts';

/** How a request was ended from outside. */
export interface CutOffBy {
  /** As the middle of a sentence: `was left by its client`. */
  readonly how: string;
  /** The time-out that has answered in its handler's place, if it was one. */
  readonly timeout?: string;
}

/**
 * What a record is of, as far as anybody asks: a request with its response (`HttpSubject`), or a task, which has neither
 * (`TaskSubject`).
 */
export interface Subject {
  /** `GET`, or what else the request's line said; `TASK`. */
  readonly method: string;
  /** What rules know it by as long as it has no route. */
  readonly path: string;
  /** What a dump calls it as long as it has no route: without query, values masked. */
  readonly shownPath: string;
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
  /** The clock when bytes were last seen to move; that of the start before. */
  readonly bytesMovedMs: number;
  /** Its record is whole, and stands in the table. */
  entered(record: RequestRecord): void;
  /** What the application's `routeName` calls it. What that throws is thrown. */
  nameBy(rules: Rules): string | undefined;
  /** Whether it would not have been entered. What a predicate of the application throws is thrown. */
  isIgnoredBy(rules: Rules): boolean;
  /** Silence is its normal state. */
  isOpenEnded(): boolean;
  /** It has ended, and whoever should have said so has not. */
  isLost(): boolean;
  /** Asked as tracking ends. `true`: it has come to its own end, `false`: its client has left, `undefined`: it goes on. */
  howEnded(): boolean | undefined;
  /** Whether bytes have moved since the last call. */
  bytesMoved(nowMs: number): boolean;
  /** What its connection says, where it has a client. */
  client(nowMs: number): ClientEvidence | undefined;
  /**
   * The event of its connection that somebody listens to, whose code may run when the client leaves; `undefined`: nobody does.
   *
   * @param ofFramework see `endListener`
   */
  listenedEvent(ofFramework: number): string | undefined;
  /** How something else has ended it; `undefined`: it ended by itself. */
  cutOff(finished: boolean, elapsedMs: number, rules: Rules): CutOffBy | undefined;
  /** Answers in its place, if somebody waits for an answer. @param sent is called when the answer is out */
  answer(status: number, sent: () => void): boolean;
}
