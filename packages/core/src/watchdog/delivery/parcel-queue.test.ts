import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Parcel } from './parcel.ts';
import { ParcelQueue } from './parcel-queue.ts';
import { ManualClock } from './testing/manual-clock.ts';

const parcel = (label: string, bytes: number): Parcel => ({ label, gzip: Buffer.alloc(bytes) });

it('gives back what came first, and makes room by removing the oldest', () => {
  const queue = new ParcelQueue(2, 100, new ManualClock());
  expect(queue.push(parcel('a', 10))).toEqual([]);
  expect(queue.push(parcel('b', 10))).toEqual([]);
  expect(queue.push(parcel('c', 10)).map(({ label }) => label)).toEqual(['a']);
  expect(queue.push(parcel('d', 95)).map(({ label }) => label)).toEqual(['b', 'c']);
  expect(queue.shift()?.label).toBe('d');
  expect(queue.shift()).toBeUndefined();
});

it('refuses a parcel that alone exceeds the bytes, and keeps the others', () => {
  const queue = new ParcelQueue(5, 100, new ManualClock());
  queue.push(parcel('a', 10));
  expect(queue.push(parcel('big', 101)).map(({ label }) => label)).toEqual(['big']);
  expect(queue.length).toBe(1);
});

it('knows how long the oldest has waited', async () => {
  const clock = new ManualClock();
  const queue = new ParcelQueue(5, 100, clock);
  expect(queue.oldestAgeMs).toBeUndefined();
  queue.push(parcel('a', 1));
  await clock.advance(500);
  queue.push(parcel('b', 1));
  expect(queue.oldestAgeMs).toBe(500);
});

it('never exceeds its bounds, keeps order, and loses nothing but what it hands back', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('push' as const), bytes: fc.integer({ min: 0, max: 60 }) }),
    fc.record({ type: fc.constant('put-back' as const), bytes: fc.constant(0) }),
    fc.record({ type: fc.constant('shift' as const), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const queue = new ParcelQueue(limit, 100, new ManualClock());
      const model: string[] = [];
      let held: Parcel | undefined;
      let next = 0;
      for (const { type, bytes } of steps) {
        let removed: Parcel[] = [];
        if (type === 'push') {
          const label = String(next++);
          model.push(label);
          removed = queue.push(parcel(label, bytes));
        } else if (type === 'put-back' && held) {
          model.unshift(held.label);
          removed = queue.putBack(held);
          held = undefined;
        } else if (type === 'shift') {
          held = queue.shift();
          expect(held?.label).toBe(model.shift());
        }
        expect(removed.map(({ label }) => label)).toEqual(model.splice(0, removed.length));
        expect(queue.length).toBe(model.length);
        expect(queue.length).toBeLessThanOrEqual(limit);
        expect(queue.bytes).toBeLessThanOrEqual(100);
      }
      for (const label of model) expect(queue.shift()?.label).toBe(label);
      expect(queue.bytes).toBe(0);
    }),
  );
});
