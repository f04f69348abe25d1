import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** What is needed of Koa's context. */
export interface Context {
  readonly req: IncomingMessage | Http2ServerRequest;
  readonly res: ServerResponse | Http2ServerResponse;
  readonly app?: Application;
}

/** What is needed of an application. Koa 3 has its way of composing middleware as a property. */
export interface Application {
  readonly middleware?: unknown;
  readonly compose?: unknown;
}

/** Calls the rest of the chain. */
export type Next = () => Promise<unknown>;
/** Middleware as Koa 2 and 3 call it. */
export type Middleware = (context: Context, next: Next) => Promise<unknown>;
/** What may stand in an application's or a router's list: it need not return a promise. */
export type AnyMiddleware = (this: unknown, context: Context, next: Next) => unknown;
