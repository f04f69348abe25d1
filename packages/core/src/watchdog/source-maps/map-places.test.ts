import { expect, test } from 'vitest';
import { mapPlaces, type Place, placesIn } from './map-places.ts';

const frame = { function: 'f', file: '/a.js', line: 1, column: 2, async: true, kind: 'app' };
const evidence = [
  [
    7,
    {
      checkpoint: { label: 'x', file: '/a.js', line: 3 },
      stacks: [[frame], []],
      error: { frames: [{ ...frame, line: 9 }] },
    },
  ],
  [8, { checkpoint: { label: 'y' }, stacks: [] }],
] as const;
const sourceOf = ({ file, line, column = 0 }: Place) =>
  file === '/a.js' ? ({ file: '/a.ts', line: line * 10, column: column + 1, kind: 'dependency' } as const) : undefined;

test('finds every place, wherever it is', () => {
  expect(placesIn(evidence).map(({ line }) => line)).toEqual([3, 1, 9]);
});

test('maps every place, and keeps where it was', () => {
  const [[, first], second] = mapPlaces(evidence, sourceOf);
  expect(first.checkpoint).toEqual({
    label: 'x',
    file: '/a.ts',
    line: 30,
    column: 1,
    generated: { file: '/a.js', line: 3, column: 0 },
  });
  expect(first.stacks[0][0]).toEqual({
    ...frame,
    file: '/a.ts',
    line: 10,
    column: 3,
    kind: 'dependency',
    generated: { file: '/a.js', line: 1, column: 2 },
  });
  expect(first.error.frames[0]).toMatchObject({ file: '/a.ts', line: 90 });
  expect(second).toBe(evidence[1]);
});

test('maps nothing twice', () => {
  const once = mapPlaces(evidence, sourceOf);
  expect(placesIn(once)).toEqual([]);
  expect(mapPlaces(once, (place) => sourceOf({ ...place, file: '/a.js' }))).toBe(once);
});

test('leaves alone what the application gave to a checkpoint, whatever it looks like', () => {
  const trail = [{ label: 'x', data: { file: '/a.js', line: 3 } }];
  expect(placesIn(trail)).toEqual([]);
  expect(mapPlaces(trail, sourceOf)).toBe(trail);
});

test('changes nothing where there is no source', () => {
  expect(mapPlaces(evidence, () => undefined)).toBe(evidence);
});
