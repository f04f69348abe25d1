import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepData } from './keep-data.ts';

describe('data of a checkpoint', () => {
  test('is a copy: what happens to the original later does not show', () => {
    const data = { order: { id: 7, lines: [1, 2] } };
    const kept = keepData(data);
    data.order.id = 8;
    data.order.lines.push(3);
    expect(kept).toEqual({ order: { id: 7, lines: [1, 2] } });
  });

  test('of other classes only the class is kept', () => {
    class Order {
      secret = 'x';
    }
    expect(
      keepData([
        new Order(),
        new TypeError('private'),
        Buffer.from('x'),
        new Map([[1, 2]]),
        () => 1,
        Object.create(null),
      ]),
    ).toEqual(['[Order]', '[TypeError]', '[Buffer]', '[Map]', '[Function]', {}]);
    expect(keepData(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(keepData(new Date(Number.NaN))).toBe('[invalid Date]');
  });

  test('is three levels deep, sixteen entries wide, and 64 values in all', () => {
    expect(keepData({ a: { b: { c: { d: 1 } }, list: [[[]]] } })).toEqual({
      a: { b: { c: '[Object]' }, list: ['[Array(1)]'] },
    });
    expect(keepData(Array.from({ length: 20 }, (_, i) => i))).toEqual([...Array(16).keys(), '… 4 more']);
    expect(Object.keys(keepData(Object.fromEntries([...Array(20).keys()].map((i) => [`k${i}`, i]))) as object)).toEqual(
      [...[...Array(16).keys()].map((i) => `k${i}`), '…'],
    );
    const wide = Array.from({ length: 16 }, () => Array.from({ length: 16 }, () => 1));
    const values = JSON.stringify(keepData(wide)).match(/1(?=[,\]])/g) ?? [];
    expect(values.length).toBeLessThanOrEqual(64);
  });

  test('runs no code of the application, and never throws', () => {
    let ran = 0;
    const trap = () => {
      ran += 1;
      throw new Error('no');
    };
    const proxy = new Proxy({}, { get: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap });
    const data = {
      proxy,
      get expensive() {
        return trap();
      },
      toJSON: trap,
    };
    expect(keepData(data)).toEqual({ proxy: '[Proxy]', expensive: '[getter]', toJSON: '[Function]' });
    expect(ran).toBe(0);
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => keepData(circle)).not.toThrow();
  });

  test('of a long string the beginning is kept, and not the whole behind it', () => {
    expect(keepData('x'.repeat(1_000))).toBe(`${'x'.repeat(200)}…`);
    expect(keepData('é'.repeat(300))).toBe(`${'é'.repeat(200)}…`);
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 200 }, (_, i) =>
      keepData(String.fromCharCode(97 + (i % 26)).repeat(500_000 + i)),
    );
    expect(kept).toHaveLength(200);
    // Flat strings of 500 kB each; windows into them would hold 100 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
  });

  test('whatever it is given, what is kept is small JSON', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: false, maxDepth: 5 }), (value) => {
        expect((JSON.stringify(keepData(value)) ?? '').length).toBeLessThan(64 * 1_000);
      }),
    );
  });
});
