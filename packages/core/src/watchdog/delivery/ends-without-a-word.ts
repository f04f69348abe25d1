/** What is said of a process that is known to have ended, and left its last record. */
export const DIED = 'the process ended without a word (killed, aborted, or the machine went down)';

/** What is said of one that was not heard of any more: it may be stopped yet, or its disk may hang. */
export const ENDED_OR_STOPPED =
  'the process ended or was stopped without a word (it, or what keeps its record, was killed, or the machine went down)';
