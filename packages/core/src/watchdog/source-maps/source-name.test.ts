import { expect, test } from 'vitest';
import { sourceName } from './source-name.ts';

test.each([
  ['file:///srv/shop/src/a%20b.ts', '/srv/shop/src/a b.ts', 'app'],
  ['file:///srv/shop/node_modules/p-limit/index.js', '/srv/shop/node_modules/p-limit/index.js', 'dependency'],
  [
    'file:///srv/shop/node_modules/@hangwatch/core/src/index.ts',
    '/srv/shop/node_modules/@hangwatch/core/src/index.ts',
    'hangwatch',
  ],
  ['webpack://shop/./src/a.ts?4f2c', '/srv/shop/src/a.ts', 'app'],
  ['webpack:///./node_modules/pg/lib/client.js', '/srv/shop/node_modules/pg/lib/client.js', 'dependency'],
  ['webpack://shop/webpack/bootstrap', 'webpack://shop/webpack/bootstrap', 'dependency'],
  ['file://host/share/a.ts', 'file://host/share/a.ts', 'app'],
  ['file:///srv/a%2fb.ts', 'file:///srv/a%2fb.ts', 'app'],
  ['ng:///module', 'ng:///module', 'app'],
])('%s is %s, %s', (source, file, kind) => {
  expect(sourceName(source, '/srv/shop')).toEqual({ file, kind });
});
