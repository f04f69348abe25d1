import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { boundThis } from '@hangwatch/async-hooks-helpers';
import type { OutboundFind } from './outbound-find.ts';
import type { CurrentRecord } from './traced-calls.ts';
import { urlText } from './url-text.ts';

/** Connections remembered, clients asked for their pool in one dump, and queued calls looked at. */
const MAX_SOCKETS = 1_000;
const MAX_CLIENTS = 64;
const MAX_QUEUED = 1_000;

interface Queued {
  readonly opts: { readonly method?: unknown; readonly path?: unknown };
  readonly handler: unknown;
}

/**
 * Calls that wait in the queue of one of undici's pools: undici tells of a call only when a connection takes it. The way to the queue leads from
 * a connection that is known to its client, whose listener for `drain` is bound to the pool. Each call of undici's own methods carries an
 * `AsyncResource` made in its caller's context.
 */
export class UndiciPools {
  readonly #known = new WeakSet<object>();
  #sockets: WeakRef<object>[] = [];
  /** The pool of a client that has been asked; `null` where it has none. */
  readonly #poolOf = new WeakMap<object, WeakRef<object> | null>();

  /** Takes note of a connection that a call has been sent on. */
  seen(socket: object): void {
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    if (this.#sockets.length >= MAX_SOCKETS) this.#sockets = this.#sockets.filter(isOpen);
    if (this.#sockets.length < MAX_SOCKETS) this.#sockets.push(new WeakRef(socket));
  }

  find(current: CurrentRecord): OutboundFind[] {
    this.#sockets = this.#sockets.filter(isOpen);
    const clients = this.#sockets
      .map((each) => field(each.deref(), 'client'))
      .filter((each) => each instanceof EventEmitter);
    return [...this.#pools(new Set(clients))].flatMap((pool) => queuedIn(pool, current));
  }

  #pools(clients: ReadonlySet<EventEmitter>): Set<object> {
    const asked = [...clients].filter((client) => !this.#poolOf.has(client)).slice(0, MAX_CLIENTS);
    const listeners = asked.map((client) => client.listeners('drain')[0] as () => unknown);
    const owners = asked.length === 0 ? [] : boundThis(listeners);
    for (const [index, client] of asked.entries()) {
      const owner = owners[index];
      this.#poolOf.set(client, typeof owner === 'object' && owner !== null ? new WeakRef(owner) : null);
    }
    const pools = [...clients].map((client) => this.#poolOf.get(client)?.deref());
    return new Set(pools.filter((pool) => pool !== undefined));
  }
}

function queuedIn(pool: object, current: CurrentRecord): OutboundFind[] {
  const [clients, limit, url] = [field(pool, 'clients'), field(pool, 'connections'), field(pool, 'url')];
  const inUse = Array.isArray(clients) ? clients.length : 0;
  const origin = url instanceof URL ? url.origin : '';
  return queuedCalls(field(pool, 'queue')).flatMap(({ opts, handler }) => {
    const record = handler instanceof AsyncResource ? handler.runInAsyncScope(current) : undefined;
    if (record === undefined) return [];
    const target = `${String(opts.method ?? 'GET')} ${urlText(origin, String(opts.path))}`;
    const stage = `waiting for a connection of the undici pool (${inUse} of ${String(limit ?? inUse)} in use)`;
    return [{ record, type: 'http' as const, label: `${target}, ${stage}` }];
  });
}

/** A list of rings: https://github.com/nodejs/undici/blob/main/lib/dispatcher/fixed-queue.js */
interface Ring {
  readonly list: readonly (Queued | undefined)[];
  readonly bottom: number;
  readonly top: number;
  readonly next: Ring | null;
}

function queuedCalls(queue: unknown): Queued[] {
  const calls: Queued[] = [];
  let ring: Ring | null | undefined = (queue as { tail?: Ring } | undefined)?.tail;
  while (ring !== null && ring !== undefined && calls.length < MAX_QUEUED) {
    for (let i = ring.bottom; i !== ring.top && calls.length < MAX_QUEUED; i = (i + 1) % ring.list.length) {
      const call = ring.list[i];
      if (call !== undefined) calls.push(call);
    }
    ring = ring.next;
  }
  return calls;
}

const isOpen = (each: WeakRef<object>): boolean => {
  const socket = each.deref();
  return socket !== undefined && Reflect.get(socket, 'destroyed') !== true;
};

/** What is kept under a symbol that only its description is known of. */
function field(object: object | undefined, description: string): unknown {
  if (object === undefined) return undefined;
  const symbol = Object.getOwnPropertySymbols(object).find((each) => each.description === description);
  return symbol === undefined ? undefined : Reflect.get(object, symbol);
}
