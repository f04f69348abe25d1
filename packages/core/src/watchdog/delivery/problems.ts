/** A failure of the delivery itself, for the application's onInternalError and one line on stderr. */
export interface DeliveryProblem {
  /** One of a fixed set, such as `collector-unreachable`. */
  readonly code: DeliveryProblemCode;
  /** A sentence for people; no token, no dump. */
  readonly message: string;
}

/** What can go wrong. */
export type DeliveryProblemCode =
  | 'collector-invalid'
  | 'collector-unreachable'
  | 'collector-unauthorized'
  | 'collector-busy'
  | 'dump-rejected'
  | 'dump-unpackable'
  | 'dumps-dropped'
  | 'http-unavailable'
  | 'spool-refused'
  | 'spool-failed'
  | 'spool-stalled'
  | 'spool-bad-file'
  | 'stderr-lost';

/** Says each kind of problem once: a collector that is away for a week is one line. */
export class Problems {
  readonly #say: (problem: DeliveryProblem) => void;
  readonly #said = new Set<DeliveryProblemCode>();

  constructor(say: (problem: DeliveryProblem) => void) {
    this.#say = say;
  }

  /** Passes the problem on if its code is new. Never throws. */
  tell(code: DeliveryProblemCode, message: string): void {
    if (this.#said.has(code)) return;
    this.#said.add(code);
    try {
      this.#say({ code, message });
    } catch {
      // The listener's own failure is not the delivery's; there is nobody else to tell.
    }
  }
}
