import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect, test } from 'vitest';
import { onServerClose } from './server-close.ts';

async function listening(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function follow(server: object): string[] {
  const told: string[] = [];
  onServerClose(
    server,
    () => told.push('begins'),
    () => told.push('ends'),
  );
  return told;
}

test('beginning and end are told; arguments and result pass through, and nothing is left behind', async () => {
  const server = await listening();
  const told = follow(server);
  expect(Object.keys(server)).not.toContain('close');
  const closed = once(server, 'close');
  let called = false;
  expect(
    server.close(() => {
      called = true;
    }),
  ).toBe(server);
  expect(told).toEqual(['begins']);
  await closed;
  expect({ told, called, own: Object.hasOwn(server, 'close') }).toEqual({
    told: ['begins', 'ends'],
    called: true,
    own: false,
  });
});

test('a `close` of the application’s own comes back, and what has wrapped ours stays', async () => {
  const own = await listening();
  const close = (callback?: () => void) => Reflect.apply(createServer().close, own, [callback]);
  Object.assign(own, { close });
  follow(own);
  const wrapped = await listening();
  const told = follow(wrapped);
  const inner = wrapped.close;
  const outer = (callback?: () => void) => Reflect.apply(inner, wrapped, [callback]);
  Object.assign(wrapped, { close: outer });
  await Promise.all([own, wrapped].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  expect(own.close).toBe(close);
  expect(wrapped.close).toBe(outer);
  expect(told).toEqual(['begins', 'ends']);
});

test('what is no server, and one that cannot be changed, is left alone', () => {
  const frozen = Object.freeze({ close: () => 'closed', once: () => undefined });
  expect(follow(frozen)).toEqual([]);
  expect(frozen.close()).toBe('closed');
  expect(follow({})).toEqual([]);
});
