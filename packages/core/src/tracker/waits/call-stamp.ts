import type { OutboundWait } from './outbound-wait.ts';

// As in `request-stamp.ts`. A WeakMap would do the same, and have the garbage collector look at each call's entry.
function itself(object: object): object {
  return object;
}
const Itself = itself as unknown as new (object: object) => object;

class CallStamp extends Itself {
  #wait: OutboundWait | undefined;
  constructor(call: object, wait: OutboundWait) {
    super(call);
    this.#wait = wait;
  }
  static set(call: object, wait: OutboundWait | undefined): void {
    if (#wait in call) call.#wait = wait;
    else if (wait !== undefined) new CallStamp(call, wait);
  }
  static of(call: object): OutboundWait | undefined {
    return #wait in call ? call.#wait : undefined;
  }
}

/** Notes what waits for a call that somebody else's object stands for (a request, a tracing context); invisible on that object. */
export const stampCall: (call: object, wait: OutboundWait | undefined) => void = CallStamp.set;

/** What was noted for a call. */
export const stampOf: (call: object) => OutboundWait | undefined = CallStamp.of;
