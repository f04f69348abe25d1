import { HangwatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import type { StuckNotice } from '../shared/worker-protocol.ts';
import type { RequestRecord } from './request-record.ts';
import type { Tracker } from './tracker.ts';

/** What the options `respond` and `abort` ask for, once a request has been reported. Reports first, so that evidence comes before change. */
export function actOnStuck(tracker: Tracker, record: RequestRecord, notice: StuckNotice): void {
  const { subject, respondStatus } = record;
  const reason = new HangwatchError('HANGWATCH_ERR_STUCK', `${record.method} ${notice.summary}`);
  const abort = () => {
    if (record.abortsWhenStuck) record.abort(reason);
  };
  if (respondStatus === 0 || subject === undefined) {
    abort();
    return;
  }
  try {
    if (subject.answer(respondStatus, abort)) {
      record.answeredStatus = respondStatus;
      return;
    }
  } catch (error) {
    tracker.problem('HANGWATCH_ERR_INTERNAL', `a stuck request could not be answered: ${messageOf(error)}`, error);
  }
  abort();
}
