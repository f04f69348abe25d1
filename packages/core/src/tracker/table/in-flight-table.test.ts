import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kGeneration, kSequence, SLOTS_PER_SEGMENT } from '../../shared/slot-layout.ts';
import { InFlightTable, type Slot } from './in-flight-table.ts';

test('every slot handed out is taken, nobody else has it, and what was taken stays where it is as the table grows', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 400 }), (steps) => {
      const table = new InFlightTable(() => undefined);
      const taken = new Map<number, { slot: Slot; value: number }>();
      steps.forEach((step, value) => {
        const [oldest] = taken.values();
        if (step === 0 && oldest !== undefined) {
          taken.delete(oldest.slot.index);
          table.release(oldest.slot);
        } else {
          const slot = table.acquire();
          if (slot === undefined) throw new Error('the table is not full');
          expect(taken.has(slot.index)).toBe(false);
          slot.cells[slot.base + kSequence] = value;
          table.publish(slot);
          taken.set(slot.index, { slot, value });
        }
      });
      for (const { slot, value } of taken.values()) {
        expect((slot.cells[slot.base + kGeneration] ?? 0) & 1).toBe(1);
        expect(slot.cells[slot.base + kSequence]).toBe(value);
      }
      expect(table.freeSlots + taken.size).toBe(table.segments.length * SLOTS_PER_SEGMENT);
    }),
  );
});

test('a segment is told of before its slots are used, and a slot that changes hands has another generation', () => {
  const told: number[] = [];
  const table = new InFlightTable((index) => told.push(index));
  for (let i = 0; i < SLOTS_PER_SEGMENT + 1; i++) table.acquire();
  expect(told).toEqual([0, 1]);
  const slot = table.acquire();
  if (slot === undefined) throw new Error('the table is not full');
  table.publish(slot);
  const before = slot.cells[slot.base + kGeneration];
  table.release(slot);
  const again = table.acquire();
  expect(again?.index).toBe(slot.index);
  table.publish(slot);
  expect(slot.cells[slot.base + kGeneration]).toBe((before ?? 0) + 2);
});
