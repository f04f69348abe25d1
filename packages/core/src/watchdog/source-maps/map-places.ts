import type { SourcePosition } from './map-protocol.ts';

/** Anything in a dump that names a place in a file: a frame, a checkpoint, a layer, whatever is added later. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
  readonly kind?: unknown;
}

/** What a place was mapped from, and what the application gave of its own: neither is a place of ours, whatever is in it. */
const LEFT_ALONE = new Set(['generated', 'data']);

/** Every place in `value`, however deep. Objects with a `file` and a `line` are places. */
export function placesIn(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  if (isPlace(value)) found.push(value);
  for (const [name, each] of Object.entries(value)) if (!LEFT_ALONE.has(name)) placesIn(each, found);
  return found;
}

/**
 * `value` with every place that `sourceOf` knows the source of pointing to that source, and its position in the JavaScript that runs kept
 * as `generated`. What holds no such place is the same object as before.
 */
export function mapPlaces<T>(value: T, sourceOf: (place: Place) => SourcePosition | undefined): T {
  return mapped(value, sourceOf) as T;
}

function mapped(value: unknown, sourceOf: (place: Place) => SourcePosition | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((each) => mapped(each, sourceOf));
    return items.some((each, i) => each !== value[i]) ? items : value;
  }
  const source = isPlace(value) ? sourceOf(value) : undefined;
  const changed: [string, unknown][] = [];
  for (const [name, each] of Object.entries(value)) {
    const result = LEFT_ALONE.has(name) ? each : mapped(each, sourceOf);
    if (result !== each) changed.push([name, result]);
  }
  if (source === undefined) return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) };
  const { file, line, column = 0, kind } = value as Place;
  return {
    ...value,
    ...Object.fromEntries(changed),
    file: source.file,
    line: source.line,
    column: source.column,
    ...(kind === undefined ? {} : { kind: source.kind }),
    generated: { file, line, column },
  };
}

function isPlace(value: object): value is Place {
  const { file, line } = value as Partial<Record<keyof Place, unknown>>;
  // A place that has been mapped is no place in the JavaScript that runs any more, and what it was mapped from shall stay as it is.
  return typeof file === 'string' && typeof line === 'number' && !('generated' in value);
}
