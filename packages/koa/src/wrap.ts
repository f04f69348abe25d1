import { type RequestRecord, recordOf, type Site } from '@hangwatch/core/adapter';
import { compose } from './compose.ts';
import type { AnyMiddleware, Application, Context, Middleware } from './context.ts';
import { enterRoute } from './route.ts';

/** The middleware after ours, in one piece, by application and by our own place in it. */
const chains = new WeakMap<object, WeakMap<AnyMiddleware, Middleware>>();
const wrappers = new WeakSet<AnyMiddleware>();
/** Properties that every function has for itself. */
const OF_ITS_OWN = new Set<string | symbol>(['prototype', 'arguments', 'caller']);

/**
 * The application's middleware after `own`, each with its checkpoint. Koa composes its list before the first request and tells nobody, so
 * this is composed anew, by the application's own function where it has one (Koa 3); the application's list is not touched.
 *
 * @returns `undefined` where `own` is not in the application's own list: composed into another middleware, mounted
 */
export function chainAfter(own: AnyMiddleware, app: Application): Middleware | undefined {
  const { middleware } = app;
  if (!Array.isArray(middleware)) return undefined;
  let byOwn = chains.get(app);
  if (byOwn === undefined) {
    byOwn = new WeakMap();
    chains.set(app, byOwn);
  }
  let chain = byOwn.get(own);
  if (chain === undefined) {
    const list = (middleware as unknown[]).flat(Number.POSITIVE_INFINITY) as AnyMiddleware[];
    const at = list.indexOf(own);
    if (at === -1) return undefined;
    // Were it there twice, the second one would run the rest again.
    const rest = list.slice(at + 1).filter((each) => each !== own);
    const composed = typeof app.compose === 'function' ? (app.compose as typeof compose) : compose;
    chain = composed(rest.map((each) => wrapMiddleware(each, 'middleware')));
    byOwn.set(own, chain);
  }
  return chain;
}

/** The middleware with its checkpoint. A router's own middleware and handlers are wrapped as soon as it is reached. */
function wrapMiddleware(fn: AnyMiddleware, kind: 'middleware' | 'handler'): AnyMiddleware {
  if (wrappers.has(fn)) return fn;
  const label = routerOf(fn) === undefined ? labelOf(fn, kind) : 'router';
  let site: Site | undefined;
  let madeBy: RequestRecord['owner'] | undefined;
  const call: AnyMiddleware = function (context, next) {
    const record = recordOf(context.req);
    if (record?.slot === undefined) return Reflect.apply(fn, this, [context, next]);
    if (site === undefined || madeBy !== record.owner) {
      madeBy = record.owner;
      site = madeBy.site(label, fn);
    }
    enterRoute(record, context);
    wrapRouter(fn);
    return record.callLayer(site, fn, this, [context, next] satisfies [Context, unknown], 'chained');
  };
  // Routers and mounts are recognised by properties of their middleware.
  for (const key of Reflect.ownKeys(fn)) {
    const property = OF_ITS_OWN.has(key) ? undefined : Object.getOwnPropertyDescriptor(fn, key);
    if (property !== undefined) Object.defineProperty(call, key, property);
  }
  wrappers.add(call);
  return call;
}

interface Router {
  readonly stack: readonly { readonly stack: AnyMiddleware[]; readonly methods?: readonly string[] }[];
}

/** How many of a router's layers have been wrapped: routes may be added at any time. */
const seen = new WeakMap<Router, number>();

function wrapRouter(fn: AnyMiddleware): void {
  const router = routerOf(fn);
  if (router === undefined || seen.get(router) === router.stack.length) return;
  seen.set(router, router.stack.length);
  for (const { stack, methods } of router.stack) {
    if (!Array.isArray(stack)) continue;
    stack.forEach((each, i) => {
      if (typeof each !== 'function') return;
      const last = i === stack.length - 1 && methods !== undefined && methods.length > 0;
      stack[i] = wrapMiddleware(each, last ? 'handler' : 'middleware');
    });
  }
}

/** `@koa/router` and koa-router leave the router on the middleware that dispatches to it. */
function routerOf(fn: AnyMiddleware): Router | undefined {
  const { router } = fn as { router?: Partial<Router> | null };
  return Array.isArray(router?.stack) ? (router as Router) : undefined;
}

function labelOf(fn: AnyMiddleware, kind: string): string {
  const name = fn.name.replace(/^bound /, '');
  return name === '' ? kind : `${kind} ${name}`;
}
