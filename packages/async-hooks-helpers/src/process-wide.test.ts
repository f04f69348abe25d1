import { describe, expect, it, vi } from 'vitest';

describe('two copies of this package', () => {
  it('are one implementation', async () => {
    const first = await import('./index.ts');
    vi.resetModules();
    const second = await import('./index.ts');
    expect(second.AwaitTracker).toBe(first.AwaitTracker);
    expect(second.ownAwait).toBe(first.ownAwait);
    expect(new second.AwaitContext(new Uint32Array(1), 0)).toBeInstanceOf(first.AwaitContext);
  });

  it('share the flag that keeps hooks from looking at probes, whatever their release', async () => {
    const { probing } = await import('./process-wide.ts');
    vi.resetModules();
    expect((await import('./process-wide.ts')).probing).toBe(probing);
    expect(Reflect.get(globalThis, Symbol.for('hangwatch.probing'))).toBe(probing);
  });
});
