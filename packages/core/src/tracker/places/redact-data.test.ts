import { describe, expect, test } from 'vitest';
import { redactData } from './redact-data.ts';

describe('names of secrets', () => {
  test.each(
    'password passwd userPassword pass PWD secret client_secret token accessToken Authorization auth cookie Set-Cookie sessionId credentials api-key privateKey signature jwt card cardNumber cvv iban ssn pin otp'.split(
      ' ',
    ),
  )('%s is redacted', (name) => {
    expect(redactData({ [name]: 'x', deep: [{ [name]: { a: 1 } }] })).toEqual({
      [name]: '[redacted]',
      deep: [{ [name]: '[redacted]' }],
    });
  });

  test.each('author orderId passenger discarded cardinality keyword monkey compass spinner option'.split(' '))(
    '%s is shown',
    (name) => {
      expect(redactData({ [name]: 'x' })).toEqual({ [name]: 'x' });
    },
  );
});

describe('credentials in text', () => {
  test.each([
    ['Authorization: Bearer abc.def', 'Authorization: Bearer *'],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here', 'got * here'],
    ['postgres://user:pass@db/shop', 'postgres://*@db/shop'],
    ['/search?q=jane&page=2', '/search?q=*&page=*'],
    ['paid with 4111 1111 1111 1111 today', 'paid with * today'],
    ['order 4111111111111112 sent', 'order 4111111111111112 sent'],
    ['nothing of the kind', 'nothing of the kind'],
  ])('%s', (text, shown) => {
    expect(redactData(text)).toBe(shown);
  });
});

test('what JSON does not know is text', () => {
  expect(redactData([1n, Number.NaN, undefined, Symbol('x'), null, true, 1.5])).toEqual([
    '1',
    'NaN',
    'undefined',
    'Symbol(x)',
    null,
    true,
    1.5,
  ]);
});
