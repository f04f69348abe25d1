import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallSite } from './call-site.ts';
import { StackTree } from './stack-tree.ts';

const sites: CallSite[] = Array.from({ length: 4 }, (_, i) => ({
  function: `f${i}`,
  file: '/a.js',
  line: 1,
  column: i + 1,
  async: true,
  kind: 'app',
}));
const stack = fc.array(fc.constantFrom(...sites), { minLength: 1, maxLength: 5 });
const text = (frames: readonly CallSite[]): string => frames.map((x) => x.function).join('<');

describe('StackTree', () => {
  it('keeps what no longer stack ends in, as comparing all pairs would', () => {
    fc.assert(
      fc.property(fc.array(stack, { maxLength: 30 }), (stacks) => {
        const tree = new StackTree<{ frames: CallSite[]; count: number }>();
        for (const frames of stacks) tree.add({ frames, count: 1 }, (a, b) => ({ ...a, count: a.count + b.count }));
        const found = [...tree.longest()].flatMap((x) => (x === undefined ? [] : [x]));
        const unique = [...new Set(stacks.map(text))];
        const expected = unique.filter((x) => !unique.some((other) => other !== x && other.endsWith(`<${x}`)));
        expect(found.map((x) => text(x.entry.frames)).sort()).toEqual(expected.sort());
        for (const { entry, suffixes } of found) {
          expect(entry.count).toBe(stacks.filter((x) => text(x) === text(entry.frames)).length);
          for (const suffix of suffixes) expect(text(entry.frames).endsWith(text(suffix.frames))).toBe(true);
        }
      }),
    );
  });

  it('pauses while it walks many', () => {
    const tree = new StackTree<{ frames: CallSite[] }>();
    for (let i = 0; i < 1000; i++) tree.add({ frames: [{ ...(sites[0] as CallSite), line: i }] }, (a) => a);
    expect([...tree.longest()].filter((x) => x === undefined).length).toBeGreaterThan(10);
  });
});
