import { expect, test } from 'vitest';
import { boundThis } from './bound-this.ts';

test('objects that functions are bound to, and nothing for the others', () => {
  const owner = { name: 'owner' };
  const other = Object.freeze([1]);
  function fn(this: unknown, _one?: number): unknown {
    return this;
  }
  const arrow = () => owner;
  expect(boundThis([fn.bind(owner), fn, arrow, fn.bind(other, 1), Math.max])).toEqual([
    owner,
    undefined,
    undefined,
    other,
    undefined,
  ]);
  expect(boundThis([fn.bind(owner)])[0]).toBe(owner);
  expect(boundThis([])).toEqual([]);
  expect(Object.getOwnPropertySymbols(globalThis).map(String)).not.toContain('Symbol(hangwatch.bound-this)');
});
