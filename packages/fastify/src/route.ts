import { type RouteOverride, recordOf, resolveRouteOptions, type Site, type Watch } from '@hangwatch/core/adapter';
import type {
  FastifyReply,
  FastifyRequest,
  RouteOptions as FastifyRoute,
  HookHandlerDoneFunction,
  RequestPayload,
} from 'fastify';
import { isFunction, PHASES, wrapHook } from './phases.ts';
import { labelOf, wrapLayer } from './wrap.ts';

interface KnownRoute {
  readonly pattern: string | undefined;
  readonly override: RouteOverride | undefined;
}

const UNKNOWN: KnownRoute = { pattern: undefined, override: undefined };
/** By the route's `config`, which lives as long as the route. */
const known = new WeakMap<object, KnownRoute>();
/** Methods whose bodies Fastify never parses. */
const BODYLESS = new Set(['GET', 'HEAD', 'TRACE']);

/** Pattern and options of the request's route. Where no route matched there is no pattern. */
export function routeOf(request: FastifyRequest, watch: Watch): KnownRoute {
  const { config, url, method } = request.routeOptions;
  if (config === undefined) return UNKNOWN;
  let route = known.get(config);
  if (route === undefined) {
    route = { pattern: url, override: overrideOf(config.hangwatch, whereOf(method, url)) };
    known.set(config, route);
    checkHandlerTimeout(request, route, watch);
  }
  return route;
}

/** Newer versions of Fastify 5 answer 503 in a handler's place. Once a route, as is all of this. */
function checkHandlerTimeout({ method, routeOptions }: FastifyRequest, route: KnownRoute, watch: Watch): void {
  const { handlerTimeout: ms } = routeOptions as { handlerTimeout?: unknown };
  const { pattern = '', override } = route;
  if (typeof ms !== 'number' || ms <= 0 || override?.watch === false) return;
  watch.checkOrder({
    other: { name: "Fastify's handlerTimeout", ms },
    method,
    pattern,
    timeoutMs: override?.timeoutMs,
  });
}

/** Routes declared before the plugin and not-found handlers have not been checked, and a request is no place to throw. */
function overrideOf(options: unknown, where: string): RouteOverride | undefined {
  if (options === undefined) return undefined;
  try {
    return resolveRouteOptions(options, where);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
    return undefined;
  }
}

/**
 * Checks a route that is being added.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when its `config.hangwatch` is wrong
 */
export function checkRoute(route: FastifyRoute): void {
  const options = route.config?.hangwatch;
  if (options !== undefined) resolveRouteOptions(options, whereOf(route.method, route.url));
}

/** Wraps the handlers and hooks of a route that is being added. */
export function wrapRoute(route: FastifyRoute): void {
  if (isFunction(route.handler)) route.handler = wrapLayer(route.handler, labelOf('handler', route.handler));
  if (isFunction(route.errorHandler)) {
    route.errorHandler = wrapLayer(route.errorHandler, labelOf('errorHandler', route.errorHandler), 1);
  }
  const hooks = route as unknown as Record<string, unknown>;
  for (const phase of PHASES) {
    const hook = hooks[phase];
    // A single hook Fastify takes as it is; in a list it checks each.
    if (isFunction(hook)) hooks[phase] = wrapLayer(hook, labelOf(phase, hook));
    else if (Array.isArray(hook)) hooks[phase] = hook.map((each) => wrapHook(phase, each));
  }
  const { preParsing } = route;
  if (!parsesBodies(route.method)) return;
  if (preParsing === undefined) route.preParsing = bodyParsing;
  else if (isFunction(preParsing)) route.preParsing = [preParsing, bodyParsing];
  else if (Array.isArray(preParsing)) route.preParsing = [...preParsing, bodyParsing];
}

/** The last `preParsing` hook: from here on the request waits for its body. */
function bodyParsing(
  request: FastifyRequest,
  _reply: FastifyReply,
  _payload: RequestPayload,
  done: HookHandlerDoneFunction,
): void {
  const { headers } = request.raw;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
    const record = recordOf(request.raw);
    if (record?.slot !== undefined) record.enterPhase(siteOf(record.owner));
  }
  done();
}

const sites = new WeakMap<object, Site>();

function siteOf(owner: { site(label: string): Site }): Site {
  let site = sites.get(owner);
  if (site === undefined) {
    site = owner.site('body parsing');
    sites.set(owner, site);
  }
  return site;
}

function parsesBodies(method: string | readonly string[]): boolean {
  return typeof method === 'string' ? !BODYLESS.has(method) : method.some((each) => !BODYLESS.has(each));
}

function whereOf(method: string | readonly string[] | undefined, url: string | undefined): string {
  return `config.hangwatch of ${typeof method === 'string' ? method : (method ?? []).join(',')} ${url ?? ''}`;
}
