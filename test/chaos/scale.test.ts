import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const BENCH = fileURLToPath(new URL('../bench/scale.mjs', import.meta.url));

interface Measured {
  readonly requests: number;
  readonly inFlight: number;
  readonly untracked: number;
  readonly bytesPerRequest: { readonly hangwatch: number };
  readonly growthMs: { readonly count: number; readonly median: number; readonly longest: number };
  readonly slicesMs: {
    readonly count: number;
    readonly median: number;
    readonly p95: number;
    readonly longest: number;
    /** Without the time that the garbage collector took of it. */
    readonly longestUncollected: number;
  };
  readonly mainThreadBusyShare: number;
  /** The longest slice, beside it, of a process without hangwatch that works for 3 ms at a time. */
  readonly longestOfNothingMs: number;
}
interface Figures {
  readonly tracked: Measured & { readonly scanMs: number };
  readonly dumped: Measured & { readonly inDump: number; readonly withStacks: number };
  /** The same with somebody who hears of it. */
  readonly heard: Measured & { readonly heard: readonly number[] };
}

// The figures that are published come from the same script; here they only have to be far from what would be wrong.
// Pauses are time on the processor, without the garbage collector's.
test('100,000 requests are tracked, and 10,000 are dumped in slices', { timeout: 180_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, '--json']);
  const { tracked, dumped, heard } = JSON.parse(stdout) as Figures;
  console.log(JSON.stringify({ tracked, dumped, heard }));
  expect(tracked).toMatchObject({ requests: 100_000, inFlight: 100_001, untracked: 0 });
  expect(tracked.bytesPerRequest.hangwatch).toBeLessThan(3_000);
  expect(tracked.growthMs.count).toBeGreaterThan(90);
  // No pause over 10 ms, beside what the machine and the method do to slices of 3 ms.
  expect(tracked.growthMs.longest).toBeLessThan(10 + tracked.longestOfNothingMs);
  expect(tracked.mainThreadBusyShare).toBeLessThan(0.2);
  expect(dumped.inDump).toBe(10_000);
  // How many it gets round to in its time depends on the machine.
  expect(dumped.withStacks).toBeGreaterThan(500);
  expect(dumped.slicesMs.count).toBeGreaterThan(50);
  expect(dumped.slicesMs.p95).toBeLessThan(10);
  expect(dumped.slicesMs.longestUncollected).toBeLessThan(10 + 2 * dumped.longestOfNothingMs);
  // `onHang` is handed a part: all of the requests would take the main thread a hundred milliseconds and more, in one piece.
  expect(Math.max(...heard.heard)).toBeGreaterThan(50);
  expect(Math.max(...heard.heard)).toBeLessThan(1_000);
  expect(heard.slicesMs.p95).toBeLessThan(10);
});
