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
  readonly #ring: (Resource | undefined)[] = [];
  #count = 0;

  note(type: string, object: object | undefined, stack: CapturedStack | undefined): Resource {
    const resource = { type, object, stack, over: false };
    this.#ring[this.#count & (KEPT - 1)] = resource;
    this.#count += 1;
    return resource;
  }

  /** Oldest first. */
  *all(): Generator<Resource> {
    for (let i = Math.max(0, this.#count - KEPT); i < this.#count; i++) {
      const resource = this.#ring[i & (KEPT - 1)];
      if (resource !== undefined) yield resource;
    }
  }
}
