import type { ResourceOptions } from '@hangwatch/core';

/** What the application has said of a thing. */
export type Said = Pick<ResourceOptions, 'handedOver'>;

/** How things of one library are made known. */
export interface Instrumentation {
  readonly library: string;
  recognises(thing: object): boolean;
  /** Why this one cannot be made known, in words; `undefined` where it can. */
  refuses(thing: object): string | undefined;
  /** @returns the thing itself, or what is to be used in its place */
  instrument(thing: object, name: string, said: Said): object;
}

/** Whether all of these are methods of the thing. */
export function hasMethods(thing: object, names: readonly string[]): boolean {
  return names.every((name) => typeof Reflect.get(thing, name) === 'function');
}

/** Puts methods of the same names in front of the thing's own, not enumerable as those are not. */
export function replaceMethods(thing: object, methods: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(thing, name, { value, writable: true, configurable: true, enumerable: false });
}

/** What `inUse` says where the library cannot be asked: never what the claims say. */
export const NOT_KNOWN = -1;

/** A count of the library's own. */
export function countOf(thing: object, name: string): number {
  const count: unknown = Reflect.get(thing, name);
  return typeof count === 'number' ? count : NOT_KNOWN;
}
