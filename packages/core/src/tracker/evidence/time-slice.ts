/** Longest time that hangwatch's own work keeps the event loop from the application's; a step more, and what the garbage collector takes meanwhile. */
const SLICE_MS = 3;
/** Work that is done as fast as the event loop turns: the dump of an ordinary process. */
const BURST_MS = 200;
/** After that, the share of the main thread's time that is left to it: thousands of requests must not be felt by the others. */
const SHARE = 1 / 3;

/** A turn that takes longer than this has no end that anybody will tell of, as under a test's own timers. */
const LONGEST_TURN_MS = 1_000;

/** When the slice of this turn of the event loop began; `undefined`: there has been none. */
let takenMs: number | undefined;

/**
 * Runs a generator to its end in slices, each in a macrotask of its own (await stacks are probed from macrotasks only), yielding
 * the event loop in between: in each turn there is one slice, whatever is being worked at. Long work is stretched: after {@link BURST_MS} it takes a third of
 * the time, and no longer keeps the process alive. `done` gets what the generator returned, `failed` what it threw.
 */
export function runSliced<R>(
  work: Generator<undefined, R, void>,
  done: (result: R) => void,
  failed: (error: unknown) => void,
  sliceMs: number = SLICE_MS,
): void {
  let spentMs = 0;
  const slice = () => {
    const beganMs = performance.now();
    if (takenMs !== undefined && beganMs - takenMs < LONGEST_TURN_MS) {
      setImmediate(slice);
      return;
    }
    takenMs = beganMs;
    // The first one may still be in this turn, where the slice came from a timer or a message.
    setImmediate(() => setImmediate(release));
    let tookMs = 0;
    try {
      do {
        const step = work.next();
        if (step.done === true) return done(step.value);
        tookMs = performance.now() - beganMs;
      } while (tookMs < sliceMs);
    } catch (error) {
      return failed(error);
    }
    spentMs += tookMs;
    if (spentMs < BURST_MS) setImmediate(slice);
    else setTimeout(slice, tookMs * (1 / SHARE - 1)).unref();
  };
  slice();
}

function release(): void {
  takenMs = undefined;
}
