import { expect, test } from 'vitest';
import { errorFrames } from './error-frames.ts';

function thrower(message: string): Error {
  return new Error(message);
}

test('the frames of an error, innermost first', () => {
  const [first, second] = errorFrames(thrower('x'));
  expect(first).toMatchObject({ function: 'thrower', async: false });
  expect(first?.file).toMatch(/error-frames\.test\.ts$/);
  expect(first?.line).toBeGreaterThan(0);
  expect(second?.file).toMatch(/error-frames\.test\.ts$/);
});

const FORGED = 'secret\n    at leak (/secret/password:1:1)';

test('no line of the message is taken for a frame', () => {
  expect(JSON.stringify(errorFrames(thrower(FORGED)))).not.toContain('secret');
  expect(errorFrames(thrower(FORGED))[0]?.function).toBe('thrower');
});

test('frames in the forms that V8 writes', () => {
  const error = new Error('m');
  error.stack = [
    'Error: m',
    '    at async Promise.all (index 3)',
    '    at Object.<anonymous> (/app/a b.js:1:2)',
    '    at async file:///app/c.mjs:3:4',
    '    at new Thing [as alias] (node:internal/x:5:6)',
    '    at eval (eval at f (/app/d.js:1:1), <anonymous>:2:3)',
    '    at <anonymous>',
  ].join('\n');
  expect(errorFrames(error)).toMatchObject([
    { function: 'Object.<anonymous>', file: '/app/a b.js', line: 1, column: 2, async: false, kind: 'app' },
    { function: '(anonymous)', file: '/app/c.mjs', line: 3, column: 4, async: true },
    { function: 'new Thing [as alias]', file: 'node:internal/x', line: 5, kind: 'node' },
  ]);
});

test('a message that was changed later leaks nothing but what stands right above the frames', () => {
  const error = thrower(`${FORGED}\nmore`);
  error.message = 'another';
  expect(JSON.stringify(errorFrames(error))).not.toContain('secret');
  expect(errorFrames(error)[0]?.function).toBe('thrower');
});

test('what is no error, and what throws when it is looked at, has no frames', () => {
  const hostile = Object.defineProperty({}, 'stack', {
    get() {
      throw new Error('hostile');
    },
  });
  for (const value of [undefined, null, 'text', 1, {}, { stack: 5 }, hostile]) expect(errorFrames(value)).toEqual([]);
});

test('a bounded number', () => {
  expect(errorFrames(thrower('x'), 1)).toHaveLength(1);
});
