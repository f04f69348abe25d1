import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/recorder.mjs', import.meta.url));

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

  const send = (path: string) =>
    new Promise<void>((resolve) => {
      get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().on('end', resolve)).on(
        'error',
        () => resolve(),
      );
    });

  test('a request that did the damage and has finished is in the dump, before the one that hangs, among many others', async () => {
    for (let i = 0; i < 20; i++) await send('/innocent');
    await send('/culprit/4711');
    void send('/victim');
    for (let i = 0; i < 100; i++) await send('/innocent');
    const dump = await collector.next(({ kind }) => kind === 'hang');
    const [victim] = dump.requests.filter(({ state }) => state === 'stuck');
    expect(victim?.route).toBe('/victim');
    const recorder = dump.recorder;
    if (recorder === undefined) throw new Error('there is no recorder');
    // A busy machine makes the loop late at any time.
    const entries = recorder.entries.filter(({ type }) => type !== 'loop-lag');
    const said = entries.map(({ type, label }) => `${type} ${label}`);
    const culprit = said.indexOf('finished GET /culprit/:id');
    expect(said.slice(culprit - 2, culprit + 2)).toEqual([
      expect.stringMatching(/^outbound /),
      'checkpoint lock taken',
      'finished GET /culprit/:id',
      'started GET /victim',
    ]);
    expect(entries[culprit - 1]?.request).toBe(entries[culprit]?.request);
    expect(said.slice(0, culprit).filter((each) => each === 'finished GET /innocent')).toHaveLength(20);
    expect(recorder).toMatchObject({ resolutionMs: 60, torn: 0 });
    expect(recorder.reachMs).toBeGreaterThanOrEqual(victim?.elapsedMs ?? Number.POSITIVE_INFINITY);
    expect(JSON.stringify(dump)).not.toContain('4711');

    // The watchdog is there by now, for certain.
    await send('/block');
    void send('/victim');
    const later = await collector.next(({ kind, id }) => kind === 'hang' && id !== dump.id);
    const lag = later.recorder?.entries
      .filter(({ type }) => type === 'loop-lag')
      .map(({ durationMs = 0 }) => durationMs);
    expect(Math.max(...(lag ?? []))).toBeGreaterThan(100);
  });

  const finished = (dump: Dump) =>
    (dump.recorder?.entries ?? []).filter(({ type }) => type === 'finished').map(({ label }) => label);

  test('so it is in a report of a blocked event loop, in the one that tells its end, and in what somebody asks for', async () => {
    // A busy machine may have blocked the loop at any time.
    const isOurs = ({ kind, requests }: Dump) => kind === 'loop-block' && requests[0]?.route === '/block';
    const block = await collector.next(isOurs);
    expect(finished(block)).toContain('GET /culprit/:id');
    expect(block.recorder?.entries.filter(({ type }) => type === 'started')).toMatchObject([
      { request: block.block?.running ?? block.block?.lastRan },
    ]);
    const over = await collector.next(
      ({ kind, follows }) =>
        kind === 'recovered' && collector.dumps.some((dump) => isOurs(dump) && dump.id === follows),
    );
    expect(finished(over)).toContain('GET /culprit/:id');
    scenario.child.kill('SIGUSR2');
    const snapshot = await collector.next(({ kind }) => kind === 'snapshot');
    expect(finished(snapshot)).toContain('GET /block');
    expect(snapshot.recorder?.entries.filter(({ type }) => type === 'started').map(({ label }) => label)).toEqual([
      'GET /victim',
      'GET /victim',
    ]);
  });

  test('and the report that a request has recovered says what happened just before', async () => {
    await send('/release');
    const recovered = await collector.next(({ kind, block }) => kind === 'recovered' && block === undefined);
    expect(finished(recovered)).toContain('GET /release');
    expect(finished(recovered)).toContain('GET /victim');
  });
});
