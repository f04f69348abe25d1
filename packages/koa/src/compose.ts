import type { AnyMiddleware, Middleware } from './context.ts';

/**
 * Makes one middleware of many, with the rules of koa-compose: what one throws rejects, and `next` may be called once.
 * https://github.com/koajs/compose
 */
export function compose(chain: readonly AnyMiddleware[]): Middleware {
  return (context, next) => {
    let last = -1;
    const dispatch = (i: number): Promise<unknown> => {
      if (i <= last) return Promise.reject(new Error('next() called multiple times'));
      last = i;
      const fn: AnyMiddleware = chain[i] ?? next;
      try {
        return Promise.resolve(fn(context, dispatch.bind(null, i + 1)));
      } catch (error) {
        return Promise.reject(error);
      }
    };
    return dispatch(0);
  };
}
