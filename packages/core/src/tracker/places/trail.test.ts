import { describe, expect, test } from 'vitest';
import { Site } from './site.ts';
import { TRAIL_LENGTH, Trail } from './trail.ts';

const site = (n: number) => new Site(`place ${n}`, n);

describe('a trail', () => {
  test('keeps the last places in their order, with their times', () => {
    const trail = new Trail();
    for (let i = 0; i < TRAIL_LENGTH + 5; i++) trail.pass(site(i), i * 10);
    expect(trail.last(3).map((entry) => [entry.site.label, entry.atMs])).toEqual([
      ['place 18', 180],
      ['place 19', 190],
      ['place 20', 200],
    ]);
    expect(trail.last(1_000)).toHaveLength(TRAIL_LENGTH);
    expect(trail.last(1_000)[0]?.site.label).toBe('place 5');
  });

  test('data belongs to its place, and goes with it', () => {
    const trail = new Trail();
    trail.attach('to nothing');
    trail.pass(site(0), 0);
    trail.attach({ a: 1 });
    trail.pass(site(1), 1);
    expect(trail.last(2).map(({ data }) => data)).toEqual([{ a: 1 }, undefined]);
    for (let i = 0; i < TRAIL_LENGTH; i++) trail.pass(site(i), i);
    expect(trail.last(TRAIL_LENGTH).every(({ data }) => data === undefined)).toBe(true);
  });

  test("cleared, it shows nothing of the slot's last request", () => {
    const trail = new Trail();
    trail.pass(site(0), 0);
    trail.attach('private');
    trail.clear();
    expect(trail.last(TRAIL_LENGTH)).toEqual([]);
    trail.pass(site(1), 1);
    expect(trail.last(TRAIL_LENGTH)).toEqual([{ site: expect.objectContaining({ label: 'place 1' }), atMs: 1 }]);
  });
});
