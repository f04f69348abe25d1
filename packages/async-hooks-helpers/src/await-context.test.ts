import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwaitContext, link, MAX_OUTSTANDING, unlink } from './await-context.ts';
import { AwaitNode } from './await-node.ts';

function listOf(context: AwaitContext): AwaitNode[] {
  const nodes: AwaitNode[] = [];
  for (let node = context.oldest; node !== null; node = node.newer) nodes.push(node);
  const backwards: AwaitNode[] = [];
  for (let node = context.newest; node !== null; node = node.older) backwards.push(node);
  expect(backwards.reverse()).toEqual(nodes);
  expect(context.outstanding).toBe(nodes.length);
  return nodes;
}
const make = (): AwaitContext => new AwaitContext(new Uint32Array(1), 0);
function add(context: AwaitContext): AwaitNode {
  const node = new AwaitNode({}, context, 0);
  link(context, node);
  return node;
}

describe('AwaitContext', () => {
  it('keeps its list in order, whichever await resumes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (steps) => {
        const context = make();
        const model: AwaitNode[] = [];
        for (const step of steps) {
          const taken = model[step];
          if (taken === undefined) model.push(add(context));
          else {
            unlink(taken);
            model.splice(step, 1);
          }
        }
        expect(listOf(context)).toEqual(model);
      }),
    );
  });

  it('leaves nothing on a node that has resumed', () => {
    const context = make();
    const [a, b, c] = [add(context), add(context), add(context)];
    b.partner = a;
    unlink(b);
    expect({ ...b }).toMatchObject({
      promise: null,
      context: null,
      newer: null,
      older: null,
      partner: null,
      shared: null,
    });
    expect(listOf(context)).toEqual([a, c]);
  });

  it('drops the middle over 4,096, never the oldest nor the newest', () => {
    const context = make();
    const nodes = Array.from({ length: MAX_OUTSTANDING }, () => add(context));
    const last = new AwaitNode({}, context, 0);
    expect(link(context, last)).toBe(1024);
    const left = new Set(listOf(context));
    expect(left.size).toBe(MAX_OUTSTANDING + 1 - 1024);
    expect(nodes.slice(0, 1500).every((node) => left.has(node))).toBe(true);
    expect(nodes.slice(-1500).every((node) => left.has(node))).toBe(true);
    expect(left.has(last)).toBe(true);
  });

  it('releases once: empties the list, and points at a number that is nobody’s', () => {
    const cells = new Uint32Array(2);
    const context = new AwaitContext(cells, 1);
    const nodes = [add(context), add(context)];
    context.captureCreations();
    context.release();
    context.release();
    expect(context).toMatchObject({
      released: true,
      outstanding: 0,
      sequenceAt: 0,
      newest: null,
      oldest: null,
      creations: null,
    });
    expect(context.cells).not.toBe(cells);
    for (const node of nodes) expect(node).toMatchObject({ promise: null, context: null, newer: null, older: null });
  });
});
