import { expect, test } from 'vitest';
import { StringTable } from './string-table.ts';

test('tells of a string once, and of no more than the limit', () => {
  const told: string[] = [];
  const table = new StringTable((id, text) => told.push(`${id} ${text}`), 2);
  expect([table.intern('/a'), table.intern('/b'), table.intern('/a'), table.intern('/c')]).toEqual([1, 2, 1, 0]);
  expect(told).toEqual(['1 /a', '2 /b']);
  expect([...table.entries()]).toEqual([
    { id: 1, text: '/a' },
    { id: 2, text: '/b' },
  ]);
});
