import { describe, expect, it } from 'vitest';
import { createScriptOrigins } from './script-origin.ts';

const CHECKOUT = 'file:///src/hangwatch/packages/async-hooks-helpers/dist/index.js';
const INSTALLED = 'file:///app/node_modules/@hangwatch/async-hooks-helpers/dist/index.js';

describe('createScriptOrigins', () => {
  it.each([
    [INSTALLED, 'file:///app/src/routes.mjs', '/app/src/routes.mjs', 'app'],
    [INSTALLED, 'file:///app/src/with%20space.mjs?v=3', '/app/src/with space.mjs', 'app'],
    [INSTALLED, '/app/src/routes.cjs', '/app/src/routes.cjs', 'app'],
    [INSTALLED, 'file:///app/node_modules/pg/lib/client.js', '/app/node_modules/pg/lib/client.js', 'dependency'],
    [INSTALLED, 'C:\\app\\node_modules\\pg\\lib\\client.js', 'C:\\app\\node_modules\\pg\\lib\\client.js', 'dependency'],
    [INSTALLED, 'node:internal/streams/readable', 'node:internal/streams/readable', 'node'],
    [INSTALLED, INSTALLED, '/app/node_modules/@hangwatch/async-hooks-helpers/dist/index.js', 'hangwatch'],
    [
      INSTALLED,
      '/app/node_modules/@hangwatch/core/dist/index.cjs',
      '/app/node_modules/@hangwatch/core/dist/index.cjs',
      'hangwatch',
    ],
    [
      INSTALLED,
      '/app/node_modules/hangwatch/bin/hangwatch.js',
      '/app/node_modules/hangwatch/bin/hangwatch.js',
      'hangwatch',
    ],
    [
      INSTALLED,
      '/app/node_modules/.pnpm/@hangwatch+core@1.0.0/node_modules/@hangwatch/core/dist/index.js',
      '/app/node_modules/.pnpm/@hangwatch+core@1.0.0/node_modules/@hangwatch/core/dist/index.js',
      'hangwatch',
    ],
    [
      INSTALLED,
      '/app/node_modules/.pnpm/@hangwatch+core@1.0.0/node_modules/undici/index.js',
      '/app/node_modules/.pnpm/@hangwatch+core@1.0.0/node_modules/undici/index.js',
      'dependency',
    ],
    [
      CHECKOUT,
      'file:///src/hangwatch/packages/core/dist/tracker.js',
      '/src/hangwatch/packages/core/dist/tracker.js',
      'hangwatch',
    ],
    [CHECKOUT, '/src/hangwatch/packages/koa/src/index.ts', '/src/hangwatch/packages/koa/src/index.ts', 'hangwatch'],
    [CHECKOUT, '/src/hangwatch/packages/notes.js', '/src/hangwatch/packages/notes.js', 'app'],
    [CHECKOUT, '/src/hangwatch/test/server.mjs', '/src/hangwatch/test/server.mjs', 'app'],
    ['/app/bundle.js', '/app/bundle.js', '/app/bundle.js', 'app'],
    [INSTALLED, 'webpack-internal:///./src/a.js', 'webpack-internal:///./src/a.js', 'app'],
    [INSTALLED, 'file://%', 'file://%', 'app'],
  ])('with this package at %s, %s is %s (%s)', (own, script, file, kind) => {
    expect(createScriptOrigins(own)(script)).toEqual({ file, kind });
  });

  it('calls scripts without a name V8’s own', () => {
    expect(createScriptOrigins(INSTALLED)(null)).toEqual({ file: '<builtin>', kind: 'node' });
  });

  it('stays bounded where names are made up', () => {
    const originOf = createScriptOrigins(INSTALLED);
    const first = originOf('/a.mjs');
    expect(originOf('/a.mjs')).toBe(first);
    for (let i = 0; i < 10_001; i++) originOf(`/made-up-${i}.mjs`);
    expect(originOf('/a.mjs')).not.toBe(first);
  });
});
