import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContractServer } from './contract-server.ts';
import { begin, exchange } from './exchange.ts';

// Frameworks without an adapter of their own, through watchServer.
describe.each(['nest', 'nest-fastify', 'hono'])('%s on a watched server', (name) => {
  let on: ContractServer;
  let off: ContractServer;

  beforeAll(async () => {
    [on, off] = await Promise.all([ContractServer.start(name, true), ContractServer.start(name, false)]);
  });

  afterAll(async () => {
    await Promise.all([on?.kill(), off?.kill()]);
  });

  test.each(['/ok', '/json', '/fail', '/missing'])('the response to %s is the same', async (path) => {
    const [watched, plain] = await Promise.all([
      exchange('http', on.port, { path }),
      exchange('http', off.port, { path }),
    ]);
    expect(watched).toEqual(plain);
    expect(await on.until((state) => state.records.length === 0)).toMatchObject({ enabled: true, inFlight: 0 });
  });

  test('a hung request is in the table until its client leaves', async () => {
    const pending = begin('http', on.port, { path: '/hang' });
    await on.until((state) => state.records.length === 1);
    pending.leave();
    expect(await on.until((state) => state.records.length === 0)).toMatchObject({ inFlight: 0, taken: 0 });
  });

  test('the process ends when its server has closed', async () => {
    const { result } = await on.close();
    expect(result).toMatchObject({ code: 0, timedOut: false });
  });
});
