import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AwaitContext } from './await-context.ts';
import { AwaitNode, clear } from './await-node.ts';
import { awaitOfDerived, firstWaiterOf, setFirstWaiter, stamp, stampOf } from './promise-stamp.ts';

const context = new AwaitContext(new Uint32Array(1), 0);

describe('promise stamps', () => {
  it('are invisible, and go on frozen promises', () => {
    const promise = Object.freeze(Promise.resolve(1));
    const before = inspect(promise, { showHidden: true });
    stamp(promise, new AwaitNode(promise, context, 0));
    expect(inspect(promise, { showHidden: true })).toBe(before);
    expect(stampOf(promise)).toBeDefined();
    expect(stampOf(Promise.resolve())).toBeUndefined();
  });

  it('tell the await of a derived promise from the first await of an awaited one', () => {
    const [awaited, derived] = [{}, {}];
    const node = new AwaitNode(awaited, context, 0);
    stamp(derived, node);
    stamp(awaited, node);
    expect(awaitOfDerived(derived)).toBe(node);
    expect(awaitOfDerived(awaited)).toBeUndefined();
    expect(firstWaiterOf(awaited)).toBe(node);
    expect(firstWaiterOf(derived)).toBeUndefined();
  });

  it('hold both for a derived promise that is awaited itself', () => {
    const [awaited, derived] = [{}, {}];
    const node = new AwaitNode(awaited, context, 0);
    const waiter = new AwaitNode(derived, context, 0);
    stamp(derived, node);
    setFirstWaiter(derived, node, waiter);
    expect(awaitOfDerived(derived)).toBe(node);
    expect(firstWaiterOf(derived)).toBe(waiter);
    clear(node);
    expect(awaitOfDerived(derived)).toBeUndefined();
    expect(firstWaiterOf(derived)).toBe(waiter);
    const later = new AwaitNode(derived, context, 0);
    setFirstWaiter(derived, node, later);
    expect(stampOf(derived)).toBe(later);
  });
});
