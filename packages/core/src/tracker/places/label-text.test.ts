import { expect, test } from 'vitest';
import { labelText } from './label-text.ts';

const throwing = {
  toString(): string {
    throw new Error('application');
  },
};

test.each([
  ['charged the card', 'charged the card'],
  ['x'.repeat(300), 'x'.repeat(200)],
  [42, '42'],
  [Symbol('s'), 'Symbol(s)'],
  [undefined, 'undefined'],
  [Object.create(null), 'a label that is no text'],
  [throwing, 'a label that is no text'],
])('%#', (label, text) => {
  expect(labelText(label)).toBe(text);
});
