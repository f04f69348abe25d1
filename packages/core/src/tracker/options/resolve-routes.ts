import { HangwatchError } from '../../errors.ts';
import { describeValue } from '../evidence/describe-value.ts';
import { type RouteOptions, type RouteOverride, resolveRouteOptions } from './route-override.ts';

/** What may be said of routes from outside their code, by the name that reports show: `GET /users/:id`, or `/users/:id` for every method. */
export type RouteTable = Readonly<Record<string, RouteOptions | false>>;

/**
 * Checks a table of routes. An empty object stands for what the code says.
 *
 * @param where what to call it in the error: `options.routes`
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 */
export function resolveRoutes(routes: unknown, where: string): ReadonlyMap<string, RouteOverride | undefined> {
  const resolved = new Map<string, RouteOverride | undefined>();
  if (routes === undefined) return resolved;
  if (typeof routes !== 'object' || routes === null || Array.isArray(routes)) {
    throw new HangwatchError('HANGWATCH_ERR_OPTION', `${where} must be an object, got ${describeValue(routes)}`);
  }
  for (const [name, options] of Object.entries(routes)) {
    if (!/^(\/.*|[A-Z-]+ .+)$/s.test(name)) {
      throw new HangwatchError(
        'HANGWATCH_ERR_OPTION',
        `${where}: a route is named as in reports, /export or GET /export, got ${describeValue(name)}`,
      );
    }
    const override = resolveRouteOptions(options, `${where}[${JSON.stringify(name)}]`);
    const isEmpty = typeof options === 'object' && Object.values(options).every((each) => each === undefined);
    resolved.set(name, isEmpty ? undefined : override);
  }
  return resolved;
}
