import { describe, expect, it } from 'vitest';
import { awaitStackOf } from './await-stack-of.ts';

describe('awaitStackOf', () => {
  let pending: Promise<void>;
  async function inner(): Promise<void> {
    pending = new Promise(() => undefined);
    await pending;
  }
  (async function outer() {
    await Promise.all([1, inner()]);
  })();

  it('returns the suspended functions, innermost first, classified', () => {
    expect(awaitStackOf(pending)).toMatchObject([
      { function: 'inner', async: true, kind: 'hangwatch' },
      { function: 'Promise.all', promiseIndex: 1, file: '<builtin>', line: 0, column: 0, kind: 'node' },
      { function: 'outer', async: true },
    ]);
  });

  it('has nothing to say of promises that nobody awaits, and of other things', () => {
    expect(awaitStackOf(new Promise(() => undefined))).toEqual([]);
    expect(awaitStackOf(Promise.resolve())).toEqual([]);
    expect(awaitStackOf(42 as never)).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN, '3'])('refuses a limit of %s', (limit) => {
    expect(() => awaitStackOf(pending, { limit: limit as number })).toThrow(
      /^options\.limit must be a positive integer, got /,
    );
  });

  it('keeps the limit', () => {
    expect(awaitStackOf(pending, { limit: 2 })).toHaveLength(2);
  });
});
