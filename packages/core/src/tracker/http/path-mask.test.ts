import { expect, test } from 'vitest';
import { maskPath } from './path-mask.ts';

test.each([
  ['/', '/'],
  ['/users/4711', '/users/*'],
  ['/users/4711/orders?token=secret#x', '/users/*/orders'],
  ['/v2/items', '/v2/items'],
  ['/u/anna@example.org/mail', '/u/*/mail'],
  ['/u/anna%40example.org', '/u/*'],
  ['/doc/550e8400-e29b-41d4-a716-446655440000', '/doc/*'],
  ['/git/deadbeefcafe', '/git/*'],
  ['/reset/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', '/reset/*'],
  ['/born/1999-12-31', '/born/*'],
  ['/session;id=abc', '/*'],
  ['/terms-and-conditions-of-our-service', '/terms-and-conditions-of-our-service'],
  ['', ''],
])('%s', (url, masked) => {
  expect(maskPath(url)).toBe(masked);
});
