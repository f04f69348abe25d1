import { types } from 'node:util';

/** Characters kept of a string, entries of an object or list, levels of nesting, and values in all. */
const MAX_TEXT = 200;
const MAX_ENTRIES = 16;
const MAX_DEPTH = 3;
const MAX_VALUES = 64;

/**
 * A bounded copy of what an application hands to `checkpoint(label, data)`. A copy and not a reference: the trail would keep alive
 * whatever it refers to until the request ends, and a dump would show the values of its own time instead of the checkpoint's. A weak
 * reference would find nothing, as the object is mostly a literal that nobody else holds.
 *
 * Scalars, plain objects and arrays are copied; of anything else only its class is. Getters and proxies don't run.
 */
export function keepData(data: unknown): unknown {
  try {
    return copy(data, 1, { left: MAX_VALUES });
  } catch {
    // Something exotic refuses to be looked at, and a checkpoint never throws.
    return '[unreadable]';
  }
}

function copy(value: unknown, depth: number, budget: { left: number }): unknown {
  budget.left -= 1;
  if (typeof value === 'string') return ownText(value);
  if (typeof value === 'function') return '[Function]';
  if (typeof value !== 'object' || value === null) return value;
  if (types.isProxy(value)) return '[Proxy]';
  if (Array.isArray(value)) return depth > MAX_DEPTH ? `[Array(${value.length})]` : copyList(value, depth, budget);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) {
    return depth > MAX_DEPTH ? '[Object]' : copyObject(value, depth, budget);
  }
  return types.isDate(value) ? dateText(value) : `[${className(prototype)}]`;
}

function copyList(list: readonly unknown[], depth: number, budget: { left: number }): unknown[] {
  const copied: unknown[] = [];
  const end = Math.min(list.length, MAX_ENTRIES);
  while (copied.length < end && budget.left > 0) copied.push(copy(ownValue(list, copied.length), depth + 1, budget));
  if (list.length > copied.length) copied.push(`… ${list.length - copied.length} more`);
  return copied;
}

function copyObject(object: object, depth: number, budget: { left: number }): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  const keys = Object.keys(object);
  for (const key of keys.slice(0, MAX_ENTRIES)) {
    if (budget.left <= 0) break;
    entries.push([ownText(key), copy(ownValue(object, key), depth + 1, budget)]);
  }
  if (keys.length > entries.length) entries.push(['…', `${keys.length - entries.length} more`]);
  return Object.fromEntries(entries);
}

function ownValue(object: object, key: string | number): unknown {
  const property = Object.getOwnPropertyDescriptor(object, key);
  return property?.get === undefined ? property?.value : '[getter]';
}

/** A part of a string may be a window into the whole, and keep all of it alive: what is cut is made anew. */
function ownText(text: string): string {
  return text.length <= MAX_TEXT ? text : `${Buffer.from(text.slice(0, MAX_TEXT), 'utf16le').toString('utf16le')}…`;
}

function dateText(date: Date): string {
  const time = Date.prototype.getTime.call(date);
  return Number.isNaN(time) ? '[invalid Date]' : new Date(time).toISOString();
}

function className(prototype: unknown): string {
  const name: unknown = Object.getOwnPropertyDescriptor(
    Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value ?? {},
    'name',
  )?.value;
  return typeof name === 'string' && name !== '' ? ownText(name) : 'Object';
}
