import { type AsyncHook, createHook, type HookCallbacks } from 'node:async_hooks';
import { captureStack } from '@hangwatch/async-hooks-helpers';
import type { RequestRecord } from '../request-record.ts';
import { RequestResources, type Resource, TELLS_THE_END } from './request-resources.ts';

/** Frames of a resource's creation: Node's own are on top of the application's, a dozen in an HTTP call. */
const FRAMES = 24;
/** Resources that are never what a request waits for, or that go with one which is; that call nobody back, or have by the time anybody looks. */
const UNTELLING = new Set(['PROMISE', 'TickObject', 'Microtask', 'HTTPINCOMINGMESSAGE', 'HTTPCLIENTREQUEST']);

/**
 * Notes the asynchronous resources that armed requests make, with a stack each. The hook is there while any such request is in flight,
 * and then every resource of the process is shown to it: that is what the level costs.
 *
 * Once anything can be claimed (`resource()`), those of all requests are noted, without a stack: what may call back may release what its request
 * holds.
 * https://nodejs.org/api/async_hooks.html#class-asynchook
 */
export class ResourceHook {
  readonly #current: () => RequestRecord | undefined;
  readonly #hook: AsyncHook;
  #armed = 0;
  #follows = false;
  /** By async id, until their end is told. */
  readonly #alive = new Map<number, Resource>();

  constructor(current: () => RequestRecord | undefined) {
    this.#current = current;
    const callbacks: HookCallbacks & { trackPromises: boolean } = {
      init: (id, type, _trigger, resource) => this.#init(id, type, resource),
      trackPromises: false,
    };
    if (TELLS_THE_END) callbacks.destroy = (id) => this.#destroy(id);
    this.#hook = createHook(callbacks);
  }

  arm(): void {
    this.#armed += 1;
    this.#hook.enable();
  }

  disarm(): void {
    this.#armed -= 1;
    if (this.#armed === 0 && !this.#follows) this.stop();
  }

  /** From now on all requests have their resources noted. */
  follow(): void {
    this.#follows = true;
    this.#hook.enable();
  }

  get follows(): boolean {
    return this.#follows;
  }

  stop(): void {
    this.#armed = 0;
    this.#follows = false;
    this.#hook.disable();
    this.#alive.clear();
  }

  #destroy(id: number): void {
    const resource = this.#alive.get(id);
    if (resource === undefined) return;
    resource.over = true;
    this.#alive.delete(id);
  }

  /** What it throws would end the process. */
  #init(id: number, type: string, resource: object): void {
    if (UNTELLING.has(type)) return;
    const record = this.#current();
    if (record === undefined) return;
    if (record.resources === undefined) {
      if (!this.#follows) return;
      record.resources = new RequestResources(false);
    }
    try {
      const noted = noteIn(record.resources, type, TELLS_THE_END ? undefined : resource, this.#init);
      if (TELLS_THE_END) this.#alive.set(id, noted);
    } catch {
      // At the end of the stack there is no room for one call more. The application's own error will come of that.
      return;
    }
  }
}

function noteIn(
  resources: RequestResources,
  type: string,
  object: object | undefined,
  above: (...args: never[]) => unknown,
): Resource {
  if (type === 'WRITEWRAP') return resources.noteWrite(object);
  return resources.note(type, object, resources.withPlaces ? captureStack(above, FRAMES) : undefined);
}
