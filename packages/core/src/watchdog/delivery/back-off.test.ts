import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackOff, COLLECTOR_BACK_OFF } from './back-off.ts';
import { ManualClock } from './testing/manual-clock.ts';

const { baseMs, capMs, floorMs, askedCapMs } = COLLECTOR_BACK_OFF;

describe('BackOff', () => {
  it('is ready before any failure and after a success', () => {
    const backOff = new BackOff(COLLECTOR_BACK_OFF, new ManualClock(), () => 0.5);
    expect(backOff.waitMs).toBe(0);
    backOff.failed();
    expect(backOff.waitMs).toBeGreaterThan(0);
    backOff.succeeded();
    expect(backOff.waitMs).toBe(0);
  });

  it.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [9, 256_000],
    [10, capMs],
    [2_000, capMs],
  ])('after %i failures draws from 0 to %i ms', (failures, ceilingMs) => {
    const backOff = new BackOff(COLLECTOR_BACK_OFF, new ManualClock(), () => 1);
    for (let count = 0; count < failures; count += 1) backOff.failed();
    expect(backOff.waitMs).toBe(ceilingMs);
  });

  it('never waits less than the floor nor more than the ceiling, whatever the lot', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_100 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, lot) => {
        const backOff = new BackOff(COLLECTOR_BACK_OFF, new ManualClock(), () => lot);
        for (let count = 0; count < failures; count += 1) backOff.failed();
        const ceilingMs = Math.min(capMs, baseMs * 2 ** (failures - 1));
        expect(backOff.waitMs).toBeGreaterThanOrEqual(floorMs);
        expect(backOff.waitMs).toBeLessThanOrEqual(ceilingMs);
        expect(backOff.waitMs).toBeCloseTo(Math.max(floorMs, lot * ceilingMs), 3);
      }),
    );
  });

  it('waits at least as long as the server asks, and at most a tenth longer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 10_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (askedMs, lot) => {
          const backOff = new BackOff(COLLECTOR_BACK_OFF, new ManualClock(), () => lot);
          backOff.failed({ askedMs });
          const heardMs = Math.min(askedMs, askedCapMs);
          expect(backOff.waitMs).toBeGreaterThanOrEqual(heardMs);
          expect(backOff.waitMs).toBeLessThanOrEqual(heardMs * 1.1 + 0.001);
        },
      ),
    );
  });

  it('treats Retry-After: 0 as any failure, and honours a least wait', () => {
    const backOff = new BackOff(COLLECTOR_BACK_OFF, new ManualClock(), () => 0);
    backOff.failed({ askedMs: 0 });
    expect(backOff.waitMs).toBe(floorMs);
    backOff.failed({ leastMs: 60_000 });
    expect(backOff.waitMs).toBe(60_000);
  });

  it('counts down with the clock', async () => {
    const clock = new ManualClock();
    const backOff = new BackOff(COLLECTOR_BACK_OFF, clock, () => 1);
    backOff.failed();
    await clock.advance(400);
    expect(backOff.waitMs).toBe(600);
    await clock.advance(600);
    expect(backOff.waitMs).toBe(0);
    expect(backOff.failures).toBe(1);
  });
});
