import type { Scheme } from './exchange.ts';

/** What the suite has to know of a framework; the rest is the same for all. */
export interface Framework {
  readonly name: string;
  readonly scheme: Scheme;
  /** Hung requests, the route they must appear under, and where they must stand. Empty: the framework has neither. */
  readonly hangs: readonly { readonly path: string; readonly route: string | null; readonly checkpoint: string }[];
  /** A request to `/api/tenants/7/layers`: each layer must find itself named. */
  readonly layers: readonly (readonly [name: string, checkpoint: string])[];
  /** Whether the framework knows routes, and so can make exceptions of them. */
  readonly routes: boolean;
  readonly lost?: string;
}

const ROUTES = [
  { path: '/api/tenants/7/items/42/hang', route: '/api/tenants/:tenant/items/:id/hang' },
  { path: '/api/tenants/7/items/a%2Fb/hang', route: '/api/tenants/:tenant/items/:id/hang' },
];
const handler = (name: string) => ROUTES.map((each) => ({ ...each, checkpoint: `handler ${name}` }));

const express = {
  scheme: 'http',
  routes: true,
  hangs: [
    ...handler('itemHangs'),
    { path: '/api/tenants/7', route: '/api/tenants/:tenant', checkpoint: 'handler innerRoot' },
    { path: '/mounted/2/things/3', route: '/mounted/:version/things/:thing', checkpoint: 'handler thingHangs' },
    { path: '/expression/5', route: String(/^\/expression\/(\d+)/), checkpoint: 'handler waits' },
    { path: '/other/5', route: '/list/:one|/other/:two', checkpoint: 'handler waits' },
    // No route has been found yet.
    { path: '/guarded', route: null, checkpoint: 'middleware middlewareHangs' },
  ],
  layers: [
    ['innerFirst', 'middleware innerFirst'],
    ['first', 'handler first'],
    ['second', 'handler second'],
    ['onError', 'error handler onError'],
  ],
  lost: 'handler afterwards',
} as const;

const koa = {
  scheme: 'http',
  routes: true,
  hangs: [
    ...handler('itemHangs'),
    { path: '/expression/5', route: String(/^\/expression\/(\d+)/), checkpoint: 'handler waits' },
    // No route has been found yet.
    { path: '/guarded', route: null, checkpoint: 'middleware middlewareHangs' },
  ],
  layers: [
    ['outermost', 'middleware outermost'],
    ['innerFirst', 'middleware innerFirst'],
    ['first', 'middleware first'],
    ['second', 'handler second'],
  ],
  lost: 'handler afterwards',
} as const;

const listener = {
  routes: false,
  hangs: [],
  layers: [],
} as const;

export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'fastify5',
    scheme: 'http',
    routes: true,
    hangs: [
      ...handler('itemHangs'),
      { path: '/api/tenants/7', route: '/api/tenants/:tenant', checkpoint: 'handler waits' },
      { path: '/guarded', route: '/guarded', checkpoint: 'preHandler hookHangs' },
    ],
    layers: [
      ['authenticate', 'onRequest authenticate'],
      ['first', 'preValidation first'],
      ['innerFirst', 'preHandler innerFirst'],
      ['second', 'handler second'],
      ['failed', 'onError failed'],
      ['onError', 'errorHandler onError'],
      ['serial', 'preSerialization serial'],
    ],
    lost: 'handler afterwards',
  },
  { name: 'express4', ...express },
  { name: 'express5', ...express },
  { name: 'koa2', ...koa },
  { name: 'koa3', ...koa },
  { name: 'http', scheme: 'http', ...listener },
  { name: 'https', scheme: 'https', ...listener },
  { name: 'http2', scheme: 'http2', ...listener },
];
