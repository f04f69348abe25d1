import { describe, expect, it } from 'vitest';
import type { CallSite } from './call-site.ts';
import type { Fragment } from './fragment.ts';
import { FragmentJoiner } from './join-captured.ts';

const site = (name: string, line: number, more: Partial<CallSite> = {}): CallSite => ({
  function: name,
  file: '/app.js',
  line,
  column: 1,
  async: true,
  kind: 'app',
  ...more,
});
const root = site('hangwatchHandler', 1, { file: '/own.js', kind: 'hangwatch' });
const fragment = (index: number, ...frames: CallSite[]): Fragment => ({
  promise: {},
  frames,
  since: 0,
  latest: 0,
  index,
  count: 1,
  captured: false,
  created: undefined,
  alsoAwaitedBy: [],
});
function joiner(...fragments: Fragment[]): FragmentJoiner {
  const made = new FragmentJoiner((x) => x === root);
  for (const x of fragments) made.add(x);
  return made;
}

describe('FragmentJoiner', () => {
  const inner = site('inner', 10);
  const handler = site('handler', 20);
  const called = site('handler', 21, { async: false });

  it('goes on where the next captured function is suspended', () => {
    expect(joiner(fragment(1, handler, root)).join([inner, called], 0)).toEqual([inner, handler, root]);
  });

  it('takes the same activation, where the captured frame was suspended already', () => {
    const other = site('handler', 30);
    const made = joiner(fragment(1, other, root), fragment(5, handler, root));
    expect(made.join([inner, handler], 0)).toEqual([inner, handler, root]);
  });

  it('takes the nearest newer one of several of a function', () => {
    const made = joiner(
      fragment(1, handler, root),
      fragment(4, site('handler', 22), root),
      fragment(9, site('handler', 23), root),
    );
    expect(made.join([inner, called], 3)[1]?.line).toBe(22);
  });

  it('finds the caller behind Promise.all', () => {
    const all = site('Promise.all', 0, { promiseIndex: 2, kind: 'node' });
    expect(joiner(fragment(2, all, handler, root)).join([inner, called], 1)).toEqual([inner, all, handler, root]);
  });

  it('joins a handler that never resumed to the wrapper that began to wait just after', () => {
    const adapter = site('wrapped', 5, { async: false, kind: 'dependency' });
    expect(joiner(fragment(3, root)).join([handler, adapter], 2)).toEqual([handler, root]);
    expect(joiner(fragment(1, root)).join([handler, adapter], 2)).toEqual([handler, adapter]);
  });

  it('takes the position of the await, where the same activation was walked through another promise', () => {
    const atCall = site('inner', 10, { column: 30 });
    const made = joiner(fragment(0, inner, handler, root), fragment(4, handler, root));
    expect(made.join([atCall, called], 1)).toEqual([inner, handler, root]);
  });

  it('leaves alone what goes nowhere', () => {
    expect(joiner().join([inner, called], 0)).toEqual([inner, called]);
  });
});
