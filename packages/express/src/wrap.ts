import { type LayerKind, type RequestRecord, recordOf, type Site } from '@hangwatch/core/adapter';
import { type ExpressRequest, type Handle, isLayer, type Layer } from './layer.ts';
import { enterMount, enterRoute } from './route.ts';

type LayerMethod = (this: Layer, ...args: unknown[]) => unknown;
type LayerPrototype = Record<string, LayerMethod | undefined>;

/** How the two generations of Express call a layer, and what becomes of a promise that the handler returns. */
const GENERATIONS = [
  { request: 'handle_request', error: 'handle_error', kind: 'ignored' },
  { request: 'handleRequest', error: 'handleError', kind: 'awaited' },
] as const;

/** Layer classes that have been patched: there is one in each copy of Express. */
const patched = new WeakSet<object>();
const shadows = new WeakMap<Layer, Shadow>();

/** Teaches the copy of Express that a router belongs to to tell us of its layers. Once a copy; for ever. */
export function watchLayersOf(router: unknown): void {
  const { stack } = Object(router) as { stack?: unknown };
  const layer: unknown = Array.isArray(stack) ? stack[0] : undefined;
  if (!isLayer(layer)) return;
  const prototype = Object.getPrototypeOf(layer) as LayerPrototype;
  if (patched.has(prototype)) return;
  patched.add(prototype);
  for (const { request, error, kind } of GENERATIONS) {
    const handleRequest = prototype[request];
    const handleError = prototype[error];
    if (typeof handleRequest !== 'function' || typeof handleError !== 'function') continue;
    prototype[request] = function (this: Layer, ...args) {
      const record = watchedRecord(args[0]);
      if (record === undefined) return Reflect.apply(handleRequest, this, args);
      const express = args[0] as ExpressRequest;
      if (this.route !== undefined) {
        // It only dispatches to the layers of the route.
        enterRoute(record, this, express);
        return Reflect.apply(handleRequest, this, args);
      }
      enterMount(record, this, express);
      if (this.handle.stack !== undefined) watchLayersOf(this.handle);
      return callShadow(handleRequest, this, record, args, kind, 3);
    };
    prototype[error] = function (this: Layer, ...args) {
      const record = watchedRecord(args[1]);
      // Layers that are no error handlers are passed over.
      if (record === undefined || this.handle.length !== 4) return Reflect.apply(handleError, this, args);
      enterMount(record, this, args[1] as ExpressRequest);
      return callShadow(handleError, this, record, args, kind, 4);
    };
  }
}

function watchedRecord(request: unknown): RequestRecord | undefined {
  const record = typeof request === 'object' && request !== null ? recordOf(request) : undefined;
  return record?.slot === undefined ? undefined : record;
}

/** Express calls `layer.handle`; the shadow is the layer with a handle of ours, and the application's own layer stays untouched. */
interface Shadow {
  readonly handle: Handle;
  readonly layer: Layer;
}

function callShadow(
  method: LayerMethod,
  layer: Layer,
  record: RequestRecord,
  args: unknown[],
  kind: LayerKind,
  arity: number,
): unknown {
  const { handle } = layer;
  // A handler for errors that is reached by a request without one, or the reverse, is passed over: the request is not there.
  if (arity === 3 && handle.length > 3) return Reflect.apply(method, layer, args);
  let shadow = shadows.get(layer);
  // Monitoring agents exchange the handle.
  if (shadow === undefined || shadow.handle !== handle) {
    shadow = { handle, layer: shadowOf(layer, record, kind) };
    shadows.set(layer, shadow);
  }
  return Reflect.apply(method, shadow.layer, args);
}

function shadowOf(layer: Layer, first: RequestRecord, kind: LayerKind): Layer {
  const { handle } = layer;
  const label = labelOf(layer);
  let madeBy = first.owner;
  let site: Site = madeBy.site(label, handle);
  const requestAt = handle.length === 4 ? 1 : 0;
  const call: Handle = function (this: unknown, ...args: unknown[]) {
    const record = watchedRecord(args[requestAt]);
    if (record === undefined) return Reflect.apply(handle, this, args);
    if (madeBy !== record.owner) {
      madeBy = record.owner;
      site = madeBy.site(label, handle);
    }
    return record.callLayer(site, handle, this, args, kind);
  };
  Object.defineProperties(call, { name: { value: handle.name }, length: { value: handle.length } });
  return Object.create(layer, { handle: { value: call } }) as Layer;
}

/** `middleware authenticate`, `handler listUsers`, `error handler onError`, `router`. */
function labelOf(layer: Layer): string {
  const name = layer.name === undefined || layer.name === '<anonymous>' ? '' : layer.name.replace(/^bound /, '');
  if (layer.handle.stack !== undefined) return 'router';
  const kind = layer.handle.length === 4 ? 'error handler' : 'method' in layer ? 'handler' : 'middleware';
  return name === '' ? kind : `${kind} ${name}`;
}
