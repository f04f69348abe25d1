import { describe, expect, it } from 'vitest';
import { functionLocation, functionLocations } from './function-location.ts';

describe('functionLocation', () => {
  it('says where a function was written', () => {
    function written(): void {
      throw new Error('not called');
    }
    expect(functionLocation(written)).toMatchObject({
      file: expect.stringMatching(/function-location\.test\.ts$/) as unknown,
    });
    expect(functionLocation(written)).toBe(functionLocation(written));
  });

  it('answers many at once, in order', () => {
    const fns = [() => 1, Math.max, () => 2];
    const [a, native, b] = functionLocations(fns);
    expect(native).toBeUndefined();
    expect(a?.line).toBeGreaterThan(0);
    expect(b).not.toEqual(a);
    expect(functionLocations([fns[2] as () => number])).toEqual([b]);
  });

  it('has none for bound functions and for what is none', () => {
    expect(functionLocations([(() => 1).bind(null), undefined as never])).toEqual([undefined, undefined]);
  });
});
