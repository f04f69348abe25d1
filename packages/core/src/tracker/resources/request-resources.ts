import type { CapturedStack } from '@hangwatch/async-hooks-helpers';

const [MAJOR = 0, MINOR = 0] = process.versions.node.split('.').map(Number);

/**
 * Whether the end of a resource is told, by the hook `destroy`. Before `trackPromises` came, that hook made the garbage collector tell of
 * every promise in the process: there, Node's lists of what is active have to do, which lack some kinds of work in its thread pool.
 * https://nodejs.org/api/async_hooks.html#async_hookscreatehookoptions
 */
export const TELLS_THE_END: boolean = MAJOR > 26 || (MAJOR === 26 && MINOR >= 1) || (MAJOR === 24 && MINOR >= 14);

/** Resources kept of one request, the newest: a power of two. What a request waits for is among the last that it made. */
const KEPT = 128;
/** Writes kept of one request that are not done. */
const KEPT_WRITES = 16;
/** They only settle promises: who waits for those is known. */
const SETTLES_PROMISES = new Set(['FSREQPROMISE', 'FILEHANDLE', 'FILEHANDLECLOSEREQ']);

/** An asynchronous resource: a timer, a file system request, a socket, a child process. */
export interface Resource {
  readonly type: string;
  /** Kept only where its end is not told: held on to, what ends when it is collected would never end. */
  readonly object: object | undefined;
  readonly stack: CapturedStack | undefined;
  /** It is over. Known only where {@link TELLS_THE_END}. */
  over: boolean;
}

/** The asynchronous resources that a request has made, with where it made them. */
export class RequestResources {
  /** It is noted where they are made, and reports show them: the level `resources`. Otherwise they are only for proofs. */
  withPlaces: boolean;
  readonly #ring: (Resource | undefined)[] = [];
  #count = 0;
  #writes: Resource[] = [];
  /** One that may call back has been dropped for want of room. */
  #hasLost = false;

  constructor(withPlaces: boolean) {
    this.withPlaces = withPlaces;
  }

  note(type: string, object: object | undefined, stack: CapturedStack | undefined): Resource {
    const resource = { type, object, stack, over: false };
    const at = this.#count & (KEPT - 1);
    const before = this.#ring[at];
    if (before !== undefined && mayCallBack(before)) this.#hasLost = true;
    this.#ring[at] = resource;
    this.#count += 1;
    return resource;
  }

  /** A write says nothing to a reader, and there are many: none of them takes another resource's place. */
  noteWrite(object: object | undefined): Resource {
    const resource = { type: 'WRITEWRAP', object, stack: undefined, over: false };
    if (this.#writes.length >= KEPT_WRITES) this.#writes = this.#writes.filter(mayCallBack);
    if (this.#writes.length >= KEPT_WRITES) this.#hasLost = true;
    else this.#writes.push(resource);
    return resource;
  }

  /** Oldest first, without writes. */
  *all(): Generator<Resource> {
    for (let i = Math.max(0, this.#count - KEPT); i < this.#count; i++) {
      const resource = this.#ring[i & (KEPT - 1)];
      if (resource !== undefined) yield resource;
    }
  }

  /** What kind of thing may still call back; `undefined`: nothing that was noted can. */
  callingBack(): string | undefined {
    for (const each of this.all()) if (mayCallBack(each)) return each.type;
    return this.#writes.find(mayCallBack)?.type ?? (this.#hasLost ? 'one of many' : undefined);
  }
}

/** Whether a resource may still call somebody's function. Of what cannot be told it is said that it may. */
function mayCallBack({ type, object, over }: Resource): boolean {
  if (over || SETTLES_PROMISES.has(type)) return false;
  if (TELLS_THE_END || object === undefined) return true;
  if (type === 'Timeout' || type === 'Immediate') return Reflect.get(object, '_destroyed') !== true;
  // Once the native half of such an object is gone, it has no number any more.
  const getAsyncId: unknown = Reflect.get(object, 'getAsyncId');
  return typeof getAsyncId !== 'function' || Reflect.apply(getAsyncId, object, []) !== -1;
}
