import { isStreet } from '../app/quotes/addresses.mjs';

/** Long enough to be measured, too short to be waited for. */
const MEASURED_MS = 20;
const TRIES = 3;

/**
 * A word over which the application's expression takes at least so long, on this machine: each further letter doubles the time.
 *
 * @param {number} blockMs
 */
export function longStreet(blockMs) {
  for (let letters = 12; ; letters++) {
    const tookMs = fastest(`${'a'.repeat(letters)}!`);
    if (tookMs >= MEASURED_MS) return `${'a'.repeat(letters + Math.ceil(Math.log2(blockMs / tookMs)))}!`;
  }
}

/** As fast as it gets: what else the machine does would make it seem slower. The first time V8 has yet to compile the expression. */
function fastest(word) {
  isStreet(word);
  const times = Array.from({ length: TRIES }, () => {
    const beganMs = performance.now();
    isStreet(word);
    return performance.now() - beganMs;
  });
  return Math.min(...times);
}
