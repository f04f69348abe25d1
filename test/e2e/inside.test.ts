import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/inside.mjs', import.meta.url));

eachNode(({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let port: number;

  beforeAll(async () => {
    collector = await CollectorStub.start();
    scenario = new Scenario(SERVER, { node, env: { HANGWATCH_COLLECTOR: collector.url } });
    port = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout) as { port: number }).port : undefined,
    );
  });

  afterAll(async () => {
    await scenario?.stop();
    await collector?.close();
    expect(collector?.refused).toEqual([]);
  });

  /** Sends a request that hangs, and waits until it is reported. */
  async function stuckOn(path: string): Promise<{ one: DumpRequest; dump: Dump }> {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume()).on('error', () => undefined);
    const find = (dump: Dump) => dump.requests.find((each) => each.path === path && each.state === 'stuck');
    const dump = await collector.next((each) => each.kind === 'hang' && find(each) !== undefined);
    const one = find(dump);
    if (one === undefined) throw new Error('it was there');
    return { one, dump };
  }

  test('the last checkpoints are in the dump, with their data, and no secret', async () => {
    const { one, dump } = await stuckOn('/trail');
    expect(one.trail?.map(({ label, data }) => [label, data])).toEqual([
      ['request entered', undefined],
      ['listener', undefined],
      ['order read', { orderId: 7, customer: { name: 'Ada', password: '[redacted]' }, token: '[redacted]' }],
      ['without data', undefined],
      ['step 0', 0],
      ['step 1', 1],
      ['step 2', 2],
      ['last', { url: 'https://*@host/x?key=*' }],
    ]);
    expect(one.trail?.at(-1)).toMatchObject({ label: one.checkpoint.label, file: SERVER });
    expect(one.trail?.[2]?.ageMs).toBeGreaterThanOrEqual(500);
    for (const secret of ['hunter2', 'abc', 'user:pass', 'hidden']) expect(JSON.stringify(dump)).not.toContain(secret);
  });

  async function answer(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  test('a bound callback runs in the context of its request, with its arguments; an unbound one does not', async () => {
    const { one: bound } = await stuckOn('/bound');
    expect(bound.trail?.at(-1)).toMatchObject({
      label: 'in the callback',
      data: { self: 'self', a: 1, b: 2, id: bound.id },
    });
    expect(bound.stacks[0]?.[0]).toMatchObject({ function: 'onTick', file: SERVER });
    const { one: unbound } = await stuckOn('/unbound');
    expect(unbound.checkpoint.label).toBe('listener');
    expect(unbound.stacks).toEqual([]);
  });

  test('a watched promise is what the request waits for, as long as it is pending', async () => {
    const { one } = await stuckOn('/watch');
    expect(one.waitsFor).toMatchObject([{ type: 'promise', label: 'a connection of the pool' }]);
    expect(one.waitsFor[0]?.sinceMs).toBeGreaterThanOrEqual(500);
    expect(one.verdict?.summary).toContain('waiting for a connection of the pool');
  });

  test('watching leaves rejections, thenables and everything else as they were', async () => {
    expect(await answer('/rejections')).toEqual(['private']);
    await answer('/later');
    let results = (await answer('/results')) as unknown[];
    while (results.length < 3) results = (await answer('/results')) as unknown[];
    expect(results).toEqual([true, true, true]);
  });
});
