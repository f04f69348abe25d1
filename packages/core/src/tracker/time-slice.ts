/** Longest time that hangwatch's own work keeps the event loop from the application's. */
const SLICE_MS = 8;

/**
 * Runs a generator to its end in slices, each in a macrotask of its own (await stacks are probed from macrotasks only), yielding
 * the event loop in between. `done` gets what the generator returned, `failed` what it threw.
 */
export function runSliced<R>(
  work: Generator<undefined, R, void>,
  done: (result: R) => void,
  failed: (error: unknown) => void,
  sliceMs: number = SLICE_MS,
): void {
  const slice = () => {
    const endMs = performance.now() + sliceMs;
    try {
      for (;;) {
        const step = work.next();
        if (step.done === true) return done(step.value);
        if (performance.now() >= endMs) break;
      }
    } catch (error) {
      return failed(error);
    }
    setImmediate(slice);
  };
  slice();
}
