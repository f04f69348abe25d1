import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Dump } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DumpStore } from './dump-store.ts';
import { newDump } from './new-dump.ts';
import { openSqliteStore } from './sqlite/open-sqlite-store.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-store-'));
const receivedAt = new Date('2026-02-01T00:00:00.000Z');
const prepare = (dump: Dump, at = receivedAt) => newDump(dump, at);

interface StoreUnderTest {
  name: string;
  /** A store on the same database each time, empty before the first. */
  open(): Promise<DumpStore>;
  /** Drops the database. */
  clean(): void;
}

const file = path.join(folder, 'contract.db');

const stores: StoreUnderTest[] = [
  {
    name: 'SQLite',
    open: () => openSqliteStore(file),
    clean: () => ['', '-wal', '-shm'].map((suffix) => rmSync(file + suffix, { force: true })),
  },
];

describe.each(stores)('$name keeps the contract of a store', ({ open, clean }) => {
  let store: DumpStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    clean();
  });

  const fill = async (count: number) => {
    const dumps = Array.from({ length: count }, (_, index) =>
      sampleDump({ id: `dump-${String(index).padStart(5, '0')}` }),
    );
    await store.add(dumps.map((dump) => prepare(dump)));
    return dumps;
  };
  const ids = async (query: Parameters<DumpStore['list']>[0]) => (await store.list(query)).map((stored) => stored.id);

  test('what was added is found, with the fields that nobody knows', async () => {
    const dump = { ...sampleDump({ kind: 'gone' }), later: { deep: ['\u0000', '\ud800', 'ü'] } };
    expect(await store.add([prepare(dump)])).toEqual({ accepted: 1, duplicates: 0 });
    const stored = await store.find(dump.id);
    expect(stored).toEqual({
      position: expect.any(Number),
      id: dump.id,
      kind: 'gone',
      at: dump.at,
      receivedAt: receivedAt.toISOString(),
      process: { service: 'orders', hostname: 'web-1', pid: 4711 },
      verdict: dump.verdict,
      stuck: 2,
      inFlight: 3,
      size: JSON.stringify(dump).length,
    });
    const position = stored?.position ?? 0;
    expect(await store.bodies([position, position + 1])).toEqual(new Map([[position, JSON.stringify(dump)]]));
    expect(await store.find('another')).toBeUndefined();
    expect(await store.bodies([])).toEqual(new Map());
  });

  test('a dump is stored once, and the first one stays', async () => {
    const first = sampleDump({ id: 'same' });
    const second = sampleDump({ id: 'same', kind: 'recovered' });
    expect(await store.add([prepare(first), prepare(second)])).toEqual({ accepted: 1, duplicates: 1 });
    expect(await store.add([prepare(second), prepare(sampleDump())])).toEqual({ accepted: 1, duplicates: 1 });
    expect((await store.find('same'))?.kind).toBe('hang');
    expect(await ids({ limit: 10 })).toHaveLength(2);
  });

  test('adding none is no error', async () => {
    expect(await store.add([])).toEqual({ accepted: 0, duplicates: 0 });
    expect(await store.latest()).toBe(0);
  });

  test('all or none: one that cannot be stored leaves none', async () => {
    const wrong = prepare(sampleDump());
    const broken = { ...wrong, dump: { ...wrong.dump, id: null as unknown as string } };
    await expect(store.add([prepare(sampleDump({ id: 'ok' })), broken])).rejects.toMatchObject({
      code: 'HANGWATCH_ERR_STORE',
    });
    expect(await store.find('ok')).toBeUndefined();
    expect(await store.add([prepare(sampleDump({ id: 'ok' }))])).toEqual({ accepted: 1, duplicates: 0 });
  });

  test('lists newest first, page by page, each dump once', async () => {
    const dumps = await fill(450);
    const seen: string[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await store.list({ limit: 100, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) break;
      seen.push(...page.map((stored) => stored.id));
      before = page.at(-1)?.position;
    }
    expect(seen).toEqual(dumps.map((dump) => dump.id).reverse());
  });

  test('lists what came after a position, oldest first', async () => {
    await fill(5);
    const from = (await store.find('dump-00001'))?.position ?? 0;
    expect(await ids({ limit: 2, after: from })).toEqual(['dump-00002', 'dump-00003']);
    expect(await ids({ limit: 2, after: await store.latest() })).toEqual([]);
  });

  test('finds ids by their beginning', async () => {
    await store.add(['abc', 'abcd', 'abd', 'ABC', 'ab_', 'ab%'].map((id) => prepare(sampleDump({ id }))));
    expect((await ids({ limit: 10, idPrefix: 'abc' })).sort()).toEqual(['abc', 'abcd']);
    expect(await ids({ limit: 10, idPrefix: 'ab_' })).toEqual(['ab_']);
  });

  test('prunes by age', async () => {
    const day = (n: number) => new Date(Date.UTC(2026, 0, n));
    for (const n of [1, 2, 3]) await store.add([prepare(sampleDump({ id: `day-${n}` }), day(n))]);
    expect(await store.prune({ receivedBefore: day(3) })).toBe(2);
    expect(await store.prune({ receivedBefore: day(3) })).toBe(0);
    expect(await ids({ limit: 10 })).toEqual(['day-3']);
  });

  test('prunes by count, in more than one piece, and gives no position twice', async () => {
    await fill(2_300);
    const latest = await store.latest();
    expect(await store.prune({ maxDumps: 10 })).toBe(2_290);
    expect((await ids({ limit: 500 })).at(-1)).toBe('dump-02290');
    expect(await store.prune({ maxDumps: 0 })).toBe(10);
    await store.add([prepare(sampleDump())]);
    expect(await store.latest()).toBeGreaterThan(latest);
  });

  test('texts of lists are safe and cut, the dump is as it was', async () => {
    const summary = `\u001b[31m${'x'.repeat(3_000)}\n\u0000`;
    const dump = sampleDump({ verdict: { evidence: 'slow', summary } });
    await store.add([prepare(dump)]);
    const stored = await store.find(dump.id);
    expect(stored?.verdict.summary).toMatch(/^\\x1b\[31mx+…$/);
    expect(
      JSON.parse((await store.bodies([stored?.position ?? 0])).get(stored?.position ?? 0) ?? '').verdict.summary,
    ).toBe(summary);
  });

  test('keeps its dumps when it is opened again', async () => {
    await fill(3);
    await store.close();
    store = await open();
    expect(await ids({ limit: 10 })).toEqual(['dump-00002', 'dump-00001', 'dump-00000']);
  });

  test('check resolves while it works and rejects after close, which is idempotent', async () => {
    await expect(store.check()).resolves.toBeUndefined();
    await store.close();
    await store.close();
    await expect(store.check()).rejects.toMatchObject({ code: 'HANGWATCH_ERR_STORE' });
  });

  test('adds at the same time lose and double nothing', async () => {
    const dumps = Array.from({ length: 40 }, (_, i) => sampleDump({ id: `both-${i}` }));
    const results = await Promise.all([...dumps, ...dumps].map((dump) => store.add([prepare(dump)])));
    expect(results.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(40);
    expect(await ids({ limit: 500 })).toHaveLength(40);
  });
});

describe('SQLite', () => {
  test('makes the file readable for its owner only', async () => {
    const fresh = path.join(folder, 'mode.db');
    const store = await openSqliteStore(fresh);
    await store.add([prepare(sampleDump())]);
    for (const suffix of ['', '-wal']) expect(statSync(fresh + suffix).mode & 0o777).toBe(0o600);
    await store.close();
  });

  test.each([
    ['a folder that is not there', path.join(folder, 'no/such/folder.db')],
    ['a folder', folder],
    ['a file that is no database', import.meta.filename],
  ])('%s is refused, with the file’s name', async (_what, where) => {
    const error: unknown = await openSqliteStore(where).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'HANGWATCH_ERR_STORE_OPEN', message: expect.stringContaining(where) });
  });
});
