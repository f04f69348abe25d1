import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { ownAwaitIgnored } from '@hangwatch/async-hooks-helpers';
import { HangwatchError } from '../../errors.ts';
import type { HangwatchOptions } from '../../options.ts';
import { describeValue } from '../evidence/describe-value.ts';
import type { Site } from '../places/site.ts';
import type { RecordOwner } from '../request-record.ts';
import { openWatch, type Watch } from '../watch.ts';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';

/** The part of `http.Server`, `https.Server` and HTTP/2 servers that is needed. */
export interface WatchableServer {
  emit(event: string, ...args: unknown[]): boolean;
  rawListeners(event: string): unknown[];
  on(event: 'close' | 'listening', listener: () => void): unknown;
  removeListener(event: 'close' | 'listening', listener: () => void): unknown;
  readonly listening?: boolean;
}

/** Events that hand a request to the application; each is answered by its listeners. */
const REQUEST_EVENTS = new Set(['request', 'checkContinue', 'checkExpectation']);
const watched = new WeakSet<object>();

type Listener = (this: unknown, ...args: unknown[]) => unknown;
const isListener = (value: unknown): value is Listener => typeof value === 'function';

const sites = new WeakMap<Listener, { readonly owner: RecordOwner; readonly site: Site }>();

/** `listener handleRequest`, made once for each listener. */
function siteOf(listener: Listener, owner: RecordOwner): Site {
  const known = sites.get(listener);
  if (known?.owner === owner) return known.site;
  // `once` puts a function of Node's in the listener's place.
  const { listener: inner } = listener as { listener?: unknown };
  const fn = isListener(inner) ? inner : listener;
  const name = fn.name.replace(/^bound /, '');
  const site = owner.site(name === '' ? 'listener' : `listener ${name}`, fn);
  sites.set(listener, { owner, site });
  return site;
}

/**
 * Watches every request of a server of `node:http`, `node:https` or `node:http2` (compatibility API), whatever framework sits on
 * it: NestJS, Hono, plain listeners. When the server closes, its registration ends.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when an option is wrong, or `server` is no server or is watched already
 * @example
 * const server = http.createServer(listener);
 * watchServer(server, { timeout: 10_000, collector: 'http://127.0.0.1:4747' });
 */
export function watchServer(server: WatchableServer, options: HangwatchOptions = {}): Watch {
  if (typeof server?.emit !== 'function' || typeof server.rawListeners !== 'function') {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `watchServer(server) needs a node:http, https or http2 server, got ${describeValue(server)}`,
    );
  }
  if (watched.has(server))
    throw new HangwatchError('HANGWATCH_ERR_OPTION', 'watchServer(server): this server is watched already');
  const watch = openWatch(options);
  if (!watch.enabled) return watch;
  watched.add(server);
  const { emit } = server;
  const inherited = !Object.hasOwn(server, 'emit');
  const emitWatched: WatchableServer['emit'] = function (this: WatchableServer, event, ...args) {
    if (!REQUEST_EVENTS.has(event)) return Reflect.apply(emit, this, [event, ...args]) as boolean;
    const [request, response] = args as [IncomingRequest, OutgoingResponse];
    const record = watch.enter(request, response);
    if (record === undefined) return Reflect.apply(emit, this, [event, ...args]) as boolean;
    return watch.run(record, () => {
      // Node's own capture of rejections has to see the listeners' promises itself, and an APM that has patched `emit` every request:
      // then which await is the handler's own is not known.
      const inner = inherited ? (Object.getPrototypeOf(this) as WatchableServer).emit : emit;
      if (EventEmitter.captureRejections || inner !== EventEmitter.prototype.emit) {
        return Reflect.apply(inner, this, [event, ...args]) as boolean;
      }
      // `rawListeners` copies, as `emit` does: a listener that removes another one changes the next event.
      const listeners = this.rawListeners(event);
      const [only] = listeners;
      if (listeners.length === 1 && isListener(only)) {
        record.callLayer(siteOf(only, record.owner), only, this, args, 'ignored');
        return true;
      }
      // Of several, the last one called is not the one that answers.
      for (const listener of listeners) {
        if (isListener(listener)) {
          ownAwaitIgnored(Reflect.apply(listener, this, args), undefined, undefined, types.isAsyncFunction(listener));
        }
      }
      return listeners.length > 0;
    });
  };
  server.emit = emitWatched;
  watch.follow(server);
  // Its time-outs may be set until then.
  const meet = () => watch.meet(server);
  if (server.listening === true) meet();
  else server.on('listening', meet);
  const closed = () => {
    server.removeListener('listening', meet);
    server.removeListener('close', closed);
    // Somebody may have wrapped `emit` after us: theirs stays, and ours, inside it, passes everything on.
    if (server.emit === emitWatched) {
      if (inherited) Reflect.deleteProperty(server, 'emit');
      else server.emit = emit;
    }
    watched.delete(server);
    watch.end().catch(() => undefined);
  };
  server.on('close', closed);
  return watch;
}
