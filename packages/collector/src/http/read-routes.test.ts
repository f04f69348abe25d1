import { sampleDump } from '@hangwatch/protocol/sample';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Collector, createCollector } from '../create-collector.ts';
import { newDump } from '../store/new-dump.ts';

let collector: Collector;
beforeEach(async () => {
  collector = await createCollector({ port: 0, db: ':memory:' });
  await collector.listen();
});
afterEach(() => collector.close());

const add = (...ids: string[]) => collector.store.add(ids.map((id) => newDump(sampleDump({ id }), new Date())));
async function get(path: string) {
  const response = await fetch(collector.url + path);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: JSON.parse(await response.text()),
  };
}
const idsOf = (answer: { body: { dumps: { id: string }[] } }) => answer.body.dumps.map((dump) => dump.id);

test('a dump is returned as it was sent', async () => {
  const dump = { ...sampleDump(), added: { later: [1, null, 'ü'] } };
  await fetch(`${collector.url}/v1/dumps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(dump),
  });
  expect(await get(`/v1/dumps/${dump.id}`)).toEqual({
    status: 200,
    type: 'application/json; charset=utf-8',
    body: dump,
  });
});

test.each(['/v1/dumps/none', '/v1/dumps/a%2Fb', `/v1/dumps/${'x'.repeat(150)}`, '/v2', '/v1/dumps/a/b'])(
  '%s: 404 as JSON',
  async (path) => {
    expect(await get(path)).toMatchObject({ status: 404, body: { error: { code: 'HANGWATCH_ERR_NOT_FOUND' } } });
  },
);

describe('the list', () => {
  test('is empty at first', async () => {
    expect((await get('/v1/dumps')).body).toEqual({ dumps: [], next: null, latest: '~0' });
  });

  test('is newest first and whole dumps; next leads through all pages, each dump once', async () => {
    await add('a', 'b', 'c', 'd', 'e');
    const first = await get('/v1/dumps?limit=2');
    expect(idsOf(first)).toEqual(['e', 'd']);
    expect(first.body.dumps[0].requests).toHaveLength(3);
    const second = await get(`/v1/dumps?limit=2&before=${first.body.next}`);
    const third = await get(`/v1/dumps?limit=2&before=${second.body.next}`);
    expect([idsOf(second), idsOf(third), third.body.next]).toEqual([['c', 'b'], ['a'], null]);
  });

  test('before takes an id too; a cursor outlives its dump', async () => {
    await add('a', 'b', 'c');
    expect(idsOf(await get('/v1/dumps?before=b'))).toEqual(['a']);
    const { next } = (await get('/v1/dumps?limit=2')).body;
    await add('d');
    await collector.store.prune({ maxDumps: 2 });
    expect(idsOf(await get(`/v1/dumps?before=${next}`))).toEqual([]);
  });

  test('after is oldest first and always says where to go on', async () => {
    await add('a', 'b', 'c');
    const first = await get('/v1/dumps?after=~0&limit=2');
    expect(idsOf(first)).toEqual(['a', 'b']);
    const second = await get(`/v1/dumps?after=${first.body.next}&limit=2`);
    expect([idsOf(second), second.body.next]).toEqual([['c'], second.body.latest]);
    const third = await get(`/v1/dumps?after=${second.body.next}`);
    expect([idsOf(third), third.body.next]).toEqual([[], second.body.next]);
  });

  test('heads hold what a list shows', async () => {
    await add('a');
    expect((await get('/v1/dumps?view=head')).body.dumps).toEqual([
      expect.objectContaining({
        cursor: '~1',
        id: 'a',
        kind: 'hang',
        stuck: 2,
        inFlight: 3,
        process: { service: 'orders', hostname: 'web-1', pid: 4711 },
      }),
    ]);
  });

  test('finds ids by their beginning', async () => {
    await add('abc', 'abd', 'b');
    expect(idsOf(await get('/v1/dumps?idPrefix=ab')).sort()).toEqual(['abc', 'abd']);
  });

  test('a page of huge dumps ends early, and next leads on', async () => {
    const huge = (id: string) => newDump({ ...sampleDump({ id }), ...{ filler: 'x'.repeat(9_000_000) } }, new Date());
    await collector.store.add([huge('a'), huge('b'), huge('c')]);
    const first = await get('/v1/dumps');
    expect(idsOf(first)).toEqual(['c']);
    expect(idsOf(await get(`/v1/dumps?before=${first.body.next}`))).toEqual(['b']);
  });

  test.each([
    ['limit=0', 'limit must be a whole number from 1 to 500'],
    ['limit=501', 'limit must be a whole number from 1 to 500'],
    ['limit=ten', 'limit must be a whole number from 1 to 500'],
    ['limit=', 'limit must be a whole number from 1 to 500'],
    ['limit=1&limit=2', 'limit must be a whole number from 1 to 500'],
    ['before=none', 'before: there is no dump with the id "none"'],
    ['before=~x', 'before must be the id of a dump, or a cursor from `next` or `latest`'],
    ['after=%27--', 'after must be the id of a dump, or a cursor from `next` or `latest`'],
    ['before=~1&after=~1', 'before and after exclude each other'],
    ['wait=61', 'wait must be a whole number from 0 to 60'],
    ['view=all', 'view must be "full" or "head"'],
    ['idPrefix=%25', 'idPrefix must be 1 to 128 of the characters A-Z a-z 0-9 . _ -'],
    ['before_=1', 'before_ is not a parameter'],
  ])('%s: 400', async (query, message) => {
    expect(await get(`/v1/dumps?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'HANGWATCH_ERR_QUERY', message } },
    });
  });
});

describe('waiting for dumps', () => {
  test('is answered as soon as one arrives', async () => {
    const began = performance.now();
    for (let round = 0; round < 6; round += 1) {
      const waiting = get(`/v1/dumps?after=~${round}&wait=30`);
      await fetch(`${collector.url}/healthz`); // the wait has begun
      const body = JSON.stringify(sampleDump({ id: `fresh-${round}` }));
      const headers = { 'content-type': 'application/json' };
      await fetch(`${collector.url}/v1/dumps`, { method: 'POST', headers, body });
      expect(idsOf(await waiting)).toEqual([`fresh-${round}`]);
    }
    // Without an announcement each round takes the second after which it looks again.
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  test('sees what another process stored, whom nobody announces', async () => {
    const waiting = get('/v1/dumps?after=~0&wait=30');
    await add('quiet');
    expect(idsOf(await waiting)).toEqual(['quiet']);
  });

  test('is answered empty after the time', async () => {
    expect((await get('/v1/dumps?after=~0&wait=1')).body).toEqual({ dumps: [], next: '~0', latest: '~0' });
  });

  test('does not hold up the end', async () => {
    const waiting = get('/v1/dumps?after=~0&wait=30');
    await fetch(`${collector.url}/healthz`);
    const began = performance.now();
    await collector.close();
    expect(performance.now() - began).toBeLessThan(3_000);
    expect((await waiting).body.dumps).toEqual([]);
  });
});
