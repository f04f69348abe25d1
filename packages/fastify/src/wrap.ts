import { type AnyFunction, type RequestRecord, recordOf, type Site } from '@hangwatch/core/adapter';

/** What a hook or handler receives first, or second where an error comes first. */
interface HasRaw {
  readonly raw: object;
}
type Layer = (this: unknown, ...args: unknown[]) => unknown;

/** Ours: wrapping one again would count it twice. */
const wrapped = new WeakSet<AnyFunction>();

/**
 * The function with a checkpoint in front of it, and what it returns awaited as the request's own. Same name, same length, same `this`:
 * Fastify's checks see what they saw before. Functions that Fastify is about to refuse are for it to refuse, so they must not come here.
 *
 * @param label what reports call the place: `preHandler authenticate`
 * @param at which argument is the request
 */
export function wrapLayer<F extends AnyFunction>(fn: F, label: string, at = 0): F {
  if (wrapped.has(fn)) return fn;
  let site: Site | undefined;
  let madeBy: RequestRecord['owner'] | undefined;
  const call: Layer = function (...args) {
    // Plugins call what they took from a route with something else in front: @fastify/websocket with the socket.
    const raw: unknown = (args[at] as Partial<HasRaw> | null | undefined)?.raw;
    const record = typeof raw === 'object' && raw !== null ? recordOf(raw) : undefined;
    if (record?.slot === undefined) return Reflect.apply(fn, this, args);
    if (site === undefined || madeBy !== record.owner) {
      madeBy = record.owner;
      site = madeBy.site(label, fn);
    }
    return record.callLayer(site, fn as unknown as Layer, this, args, 'awaited');
  };
  Object.defineProperties(call, { name: { value: fn.name }, length: { value: fn.length } });
  wrapped.add(call);
  return call as unknown as F;
}

/** `preHandler authenticate`; a function without a name is told by its place. */
export function labelOf(phase: string, fn: AnyFunction): string {
  const name = fn.name.replace(/^bound /, '');
  return name === '' || name === phase ? phase : `${phase} ${name}`;
}
