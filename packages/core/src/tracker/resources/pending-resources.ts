import { capturedFrames } from '@hangwatch/async-hooks-helpers';
import type { DumpPending } from '@hangwatch/protocol';
import { activeList } from '../process/active-list.ts';
import type { RequestRecord } from '../request-record.ts';
import { type Resource, TELLS_THE_END } from './request-resources.ts';

/** Places named of one request. */
const MOST_PLACES = 50;

/** Resources that Node counts as active now. Made once for the requests of one dump. */
export class ActiveResources {
  #objects: Set<unknown> | undefined = undefined;

  has({ type, object, over }: Resource): boolean {
    if (TELLS_THE_END) return !over;
    // Timers know it themselves: Node lists none of them.
    if (type === 'Timeout' || type === 'Immediate') return (object as { _destroyed?: unknown })._destroyed === false;
    this.#objects ??= activeObjects();
    return this.#objects.has(object);
  }
}

/** What the request has made and what is pending still, by type and by the place where it was made; newest last. */
export function pendingResources(record: RequestRecord, active: ActiveResources): DumpPending[] | undefined {
  if (record.resources?.withPlaces !== true) return undefined;
  const places = new Map<string, { pending: DumpPending; count: number }>();
  for (const resource of record.resources.all()) {
    if (!active.has(resource)) continue;
    const [frame] = resource.stack === undefined ? [] : capturedFrames(resource.stack).filter(isTelling);
    const key = `${resource.type} ${frame?.file}:${frame?.line}:${frame?.column}`;
    const known = places.get(key);
    if (known !== undefined) known.count += 1;
    else if (places.size < MOST_PLACES) {
      const place = frame && { function: frame.function, file: frame.file, line: frame.line, column: frame.column };
      places.set(key, { pending: { type: resource.type, ...place }, count: 1 });
    }
  }
  return [...places.values()].map(({ pending, count }) => (count === 1 ? pending : { ...pending, count }));
}

const isTelling = ({ kind }: { kind: string }): boolean => kind === 'app' || kind === 'dependency';

function activeObjects(): Set<unknown> {
  const objects = new Set<unknown>(activeList('_getActiveRequests'));
  for (const owner of activeList('_getActiveHandles')) {
    objects.add(owner);
    // A socket, a server or a child process stands for its handle, which is what was made.
    objects.add((owner as { _handle?: unknown })._handle);
  }
  objects.delete(undefined);
  objects.delete(null);
  return objects;
}
