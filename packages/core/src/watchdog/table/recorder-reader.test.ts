import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ENTRY_CELLS,
  kAtMs,
  kWritten,
  RECORDER_HEADER_CELLS,
  recorderBytes,
  sealOf,
} from '../../shared/recorder-layout.ts';
import { entriesBetween, RecorderReader } from './recorder-reader.ts';

const LENGTH = 64;

/** Writes as the main thread does; the tracker's own writer is tested against the reader in `flight-recorder.test.ts`. */
function ring(written = 0) {
  const buffer = new SharedArrayBuffer(recorderBytes(LENGTH));
  const cells = new Uint32Array(buffer);
  cells[kWritten] = written;
  const write = (fields = ENTRY_CELLS) => {
    const number = cells[kWritten] ?? 0;
    const base = RECORDER_HEADER_CELLS + (number % LENGTH) * ENTRY_CELLS;
    const seal = sealOf(number, 0, number, number, number, number, number, number);
    const entry = [seal, 0, number, number, number, number, number, number];
    for (let field = 0; field < fields; field++) cells[base + field] = entry[field] ?? 0;
    // The last step of an entry is its count.
    if (fields === ENTRY_CELLS) cells[kWritten] = number + 1;
  };
  return { cells, write, reader: new RecorderReader(buffer) };
}

const isWhole = ({ number, atMs, request, label, method, durationMs, beganAt }: Record<string, unknown>) =>
  [atMs, request, label, method, durationMs, beganAt].every((each) => each === number);

describe('the ring', () => {
  test('gives the last entries, whole and in order, however many there were and wherever the count began', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.constantFrom(0, 0xffff_ffe0, 5), (count, start) => {
        const { write, reader } = ring(start);
        for (let i = 0; i < count; i++) write();
        const { entries, torn, written } = reader.read();
        const expected = Array.from(
          { length: Math.min(count, LENGTH) },
          (_, i) => (start + count - Math.min(count, LENGTH) + i) >>> 0,
        );
        expect(entries.map(({ number }) => number)).toEqual(expected);
        expect(entries.every((entry) => isWhole({ ...entry }))).toBe(true);
        expect(written).toBe((start + count) >>> 0);
        expect(torn).toBe(0);
      }),
    );
  });

  test('says whether anything came before', () => {
    const { write, reader } = ring();
    for (let i = 0; i < LENGTH - 1; i++) write();
    expect(reader.read().overwritten).toBe(false);
    write();
    expect(reader.read().overwritten).toBe(true);
  });

  test('an entry that is half written is never seen: it is counted where it has spoilt another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: ENTRY_CELLS - 1 }), (count, fields) => {
        const { write, reader } = ring();
        for (let i = 0; i < count; i++) write();
        write(fields);
        const spoils = count >= LENGTH && fields > 0;
        const { entries, torn } = reader.read();
        const kept = Math.min(count, LENGTH) - Number(spoils);
        expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: kept }, (_, i) => count - kept + i));
        expect(entries.every((entry) => isWhole({ ...entry }))).toBe(true);
        expect(torn).toBe(Number(fields > 0));
      }),
    );
  });

  test('what is overwritten while it is read is left out and counted: a thread that writes as fast as it can', async () => {
    const { cells, reader } = ring();
    const layout = { ENTRY_CELLS, kWritten, RECORDER_HEADER_CELLS, LENGTH };
    const writer = new Worker(
      `const { workerData: { cells, layout } } = require('node:worker_threads');
      ${sealOf}
      const { ENTRY_CELLS, kWritten, RECORDER_HEADER_CELLS, LENGTH } = layout;
      for (let number = 0; cells[2] === 0; number++) {
        const base = RECORDER_HEADER_CELLS + (number % LENGTH) * ENTRY_CELLS;
        cells[base] = sealOf(number, 0, number, number, number, number, number, number);
        cells[base + 1] = 0;
        for (let field = 2; field < ENTRY_CELLS; field++) cells[base + field] = number;
        cells[kWritten] = number + 1;
      }`,
      { eval: true, workerData: { cells, layout } },
    );
    try {
      let seen = 0;
      let torn = 0;
      // Until the two have met often enough, however the threads are scheduled.
      for (let reads = 0; seen < 1_000 || torn < 1_000; reads++) {
        const reading = reader.read();
        for (const entry of reading.entries) expect(isWhole({ ...entry })).toBe(true);
        for (const [i, { number }] of reading.entries.slice(1).entries())
          expect(number).toBeGreaterThan(reading.entries[i]?.number ?? 0);
        expect(reading.entries.length + reading.torn).toBeLessThanOrEqual(LENGTH);
        seen += reading.entries.length;
        torn += reading.torn;
        if (reads % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      cells[2] = 1;
      await writer.terminate();
    }
  });

  test('a place whose cells do not fit each other counts as torn', () => {
    const { cells, write, reader } = ring();
    for (let i = 0; i < 10; i++) write();
    cells[RECORDER_HEADER_CELLS + 3 * ENTRY_CELLS + kAtMs] = 99;
    const { entries, torn } = reader.read();
    expect(entries.map(({ number }) => number)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9]);
    expect(torn).toBe(1);
  });
});

test('the distance of two entries goes on where the count wraps', () => {
  expect(entriesBetween(3, 0xffff_fffe)).toBe(5);
});
