import { type RequestRecord, type RouteOptions, recordOf, resolveRouteOptions } from '@hangwatch/core/adapter';
import type { Middleware } from './enter.ts';
import type { ExpressRequest, Layer, RoutePath } from './layer.ts';
import { nameOf, replaceValues } from './replace-values.ts';

/**
 * Middleware that changes what hangwatch does for a route: another `timeout` or `maxDuration`, or `false`, for requests that are shown
 * as in flight and never as stuck.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 * @example
 * app.get('/export', hangwatch.route({ timeout: 120_000 }), handler);
 * app.get('/events', hangwatch.route(false), serverSentEvents);
 */
export function route(options: RouteOptions | false): Middleware {
  const override = resolveRouteOptions(options, 'hangwatch.route(options)');
  return function hangwatchRoute(request, _response, next) {
    recordOf(request)?.override(override);
    next();
  };
}

/** Where routers are mounted for one request: the URL that matched, and the pattern that it matched. */
type Mounts = Map<string, string>;

/** Notes the pattern of a mount point, before what is mounted there runs. */
export function enterMount(record: RequestRecord, layer: Layer, request: ExpressRequest): void {
  const { baseUrl } = request;
  // Mounted at `/` matches nothing, so the pattern so far stays as it is.
  if (baseUrl === undefined || baseUrl === '' || layer.slash === true || layer.regexp?.fast_slash === true) return;
  if (!(record.adapterState instanceof Map)) record.adapterState = new Map();
  const mounts = record.adapterState as Mounts;
  let parent = '';
  for (const url of mounts.keys()) {
    if (url.length > parent.length && url.length < baseUrl.length && baseUrl.startsWith(url)) parent = url;
  }
  const own = mountPattern(layer, baseUrl.slice(parent.length), request.params ?? {});
  mounts.set(baseUrl, (mounts.get(parent) ?? '') + own);
}

/** Tells the record its route: the mount points' patterns and the route's own. */
export function enterRoute(record: RequestRecord, layer: Layer, request: ExpressRequest): void {
  const path = layer.route?.path;
  if (path === undefined) return;
  const { baseUrl } = request;
  const mounts = record.adapterState;
  const mount =
    baseUrl === undefined || baseUrl === '' || !(mounts instanceof Map) ? '' : (mounts as Mounts).get(baseUrl);
  record.setRoute(joinPattern(mount ?? '', textOf(path)));
}

function joinPattern(mount: string, path: string): string {
  if (mount === '') return path;
  return path === '/' ? mount : mount + path;
}

/** `/users/:id`; a RegExp as its source; of several paths, all: which one matched is not kept everywhere. */
function textOf(path: RoutePath): string {
  if (typeof path === 'string') return path;
  return path instanceof RegExp ? String(path) : path.map(textOf).join('|');
}

function mountPattern(layer: Layer, url: string, params: Readonly<Record<string, unknown>>): string {
  const { rawPath, keys, regexp } = layer;
  if (typeof rawPath === 'string') return rawPath.replace(/\/+$/, '');
  if (rawPath instanceof RegExp) return String(rawPath);
  if (keys !== undefined && regexp !== undefined) {
    // No names in it: what matched is what was written.
    return keys.length === 0 ? url : replaceGroups(url, regexp, keys);
  }
  return replaceValues(url, params);
}

/** Layers' expressions, as ones that tell where their groups are. */
const indexed = new WeakMap<RegExp, RegExp>();

/** Express 4: the groups of the layer's expression give way to their names. */
function replaceGroups(url: string, regexp: RegExp, keys: NonNullable<Layer['keys']>): string {
  let telling = indexed.get(regexp);
  if (telling === undefined) {
    telling = new RegExp(regexp.source, `${regexp.flags}d`);
    indexed.set(regexp, telling);
  }
  const places = telling.exec(url)?.indices;
  if (places === undefined) return url;
  let pattern = '';
  let at = 0;
  keys.forEach(({ name }, i) => {
    const place = places[i + 1];
    if (place === undefined || place[0] < at || place[0] === place[1]) return;
    pattern += url.slice(at, place[0]) + nameOf(name);
    at = place[1];
  });
  return pattern + url.slice(at);
}
