import type { IncomingMessage } from 'node:http';

// What is read of the internals of Express 4 and of the router of Express 5. Everything is optional: what is not there is not used.

/** A handler, or a router, which is a function with a stack. */
export type Handle = ((this: unknown, ...args: unknown[]) => unknown) & { readonly stack?: unknown };

/** An entry of a router's or a route's stack. */
export interface Layer {
  readonly handle: Handle;
  readonly name?: string;
  /** Only on the layer that dispatches to a route. */
  readonly route?: { readonly path?: RoutePath } | undefined;
  /** Only on the layers inside a route. */
  readonly method?: string | undefined;
  /** Express 4: what matched, and the names of the groups in it. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  readonly keys?: readonly { readonly name: string | number }[];
  /** Express 5: mounted at `/`, and (since router 2.3) the path as the application wrote it. */
  readonly slash?: boolean;
  readonly rawPath?: RoutePath;
}

/** A path as an application may write it. */
export type RoutePath = string | RegExp | readonly RoutePath[];

/** The request as Express leaves it to its layers. */
export interface ExpressRequest extends IncomingMessage {
  readonly baseUrl?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly app?: unknown;
}

export function isLayer(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && typeof (value as Layer).handle === 'function';
}
