import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DIED, ENDED_OR_STOPPED } from './ends-without-a-word.ts';
import { Spool } from './spool.ts';
import type { StaleRecord } from './spool-entries.ts';
import { parseSpoolName } from './spool-names.ts';
import { SpoolReplay } from './spool-replay.ts';
import { ManualClock } from './testing/manual-clock.ts';

let root: string;
let now: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  now = Date.UTC(2026, 0, 1);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const spoolOf = (instance: string, maxFiles = 100) =>
  new Spool(
    { spoolDir: root, destination: '01234567', instance, maxFiles, maxBytes: 1e6, leaseMs: 300_000 },
    () => now,
  );
const record = (text: string) => gzipSync(JSON.stringify({ id: text }));
const kinds = () => readdirSync(root).map((file) => parseSpoolName(file)?.state.kind ?? file);
/** Records that are stale count as abandoned. */
const claimed = (spool: Spool) => {
  const first = spool.claim();
  const found = first.claimed ?? spool.claim(first.stale).claimed;
  return found === undefined ? undefined : (JSON.parse(gunzipSync(found.gzip).toString()) as { id: string }).id;
};

test('a record is one file, renewed in place, and gone once there is nothing to keep', () => {
  const spool = spoolOf('a');
  spool.record.keep(record('first'));
  now += 1_000;
  spool.record.keep(record('second'));
  expect(kinds()).toEqual(['live']);
  spool.record.forget();
  spool.record.forget();
  expect(kinds()).toEqual([]);
});

test('nobody takes the record of a process that lives, for however long it is kept fresh', () => {
  const spool = spoolOf('a');
  spool.record.keep(record('it'));
  for (let i = 0; i < 100; i++) {
    now += 15_000;
    expect(claimed(spoolOf('b'))).toBeUndefined();
    spool.record.freshen();
  }
  // It is looked at again, now and then.
  expect(spoolOf('b').claim().retryInMs).toBe(60_000);
  expect(spool.claim().retryInMs).toBeUndefined();
});

test('a record that is bequeathed is taken at once, by one, with what was kept last', () => {
  const spool = spoolOf('a');
  spool.record.keep(record('first'));
  spool.record.keep(record('last'));
  spool.record.bequeath();
  expect(kinds()).toEqual(['ready']);
  expect([claimed(spoolOf('b')), claimed(spoolOf('c'))]).toEqual(['last', undefined]);
});

test('a record that nobody keeps fresh any more is taken by another process, and never by its own', () => {
  const spool = spoolOf('a');
  spool.record.keep(record('it'));
  // Longer than a disk that hangs keeps a keeper from its work: 5 s, a minute's pause, and that again.
  now += 179_999;
  expect(claimed(spoolOf('b'))).toBeUndefined();
  now += 2;
  expect(claimed(spool)).toBeUndefined();
  expect(claimed(spoolOf('b'))).toBe('it');
  expect(claimed(spoolOf('c'))).toBeUndefined();
});

test('of a process that nobody has seen end it is not said that it did; where its keeper has, it is', () => {
  const verdict = { evidence: 'crashed', summary: `${DIED}, with nothing in flight`, fingerprint: 'f' };
  const dump = gzipSync(JSON.stringify({ id: 'it', verdict, requests: [] }));
  const summaries = (gzip: Buffer | undefined) =>
    gzip && (JSON.parse(gunzipSync(gzip).toString()) as { verdict: { summary: string } }).verdict.summary;
  const spool = spoolOf('a');
  spool.record.keep(dump);
  now += 180_001;
  const other = spoolOf('b');
  const taken = other.claim(other.claim().stale).claimed;
  expect(summaries(taken?.gzip)).toBe(`${ENDED_OR_STOPPED}, with nothing in flight`);
  // Also by whoever posts it after a post that failed.
  other.release(taken?.file ?? '');
  const again = spoolOf('c').claim().claimed;
  expect(summaries(again?.gzip)).toBe(`${ENDED_OR_STOPPED}, with nothing in flight`);
  expect(kinds()).toEqual(['claimed']);
  // The collector keeps the first of each id: who lives on after all may have more to say.
  const ids = [taken, again].map((each) => each && (JSON.parse(gunzipSync(each.gzip).toString()) as { id: string }).id);
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(ids[1]).toBe(ids[0]);
  const seen = spoolOf('d');
  seen.record.keep(dump);
  seen.record.bequeath();
  expect(summaries(spoolOf('e').claim().claimed?.gzip)).toBe(verdict.summary);
});

describe('after all processes of a machine have stood still, or the clock was set,', () => {
  const clock = new ManualClock();
  /** A record that looks stale, and a process that finds it. */
  async function setUp() {
    const spool = spoolOf('a');
    spool.record.keep(record('it'));
    now += 3_600_000;
    const other = spoolOf('b');
    const port = { claim: async (abandoned: readonly StaleRecord[]) => other.claim(abandoned) };
    const replay = new SpoolReplay(port, clock, 0);
    const look = async () => (await replay.next(new Promise(() => undefined)))?.file;
    expect(await look()).toBeUndefined();
    return { spool, other, replay, look };
  }

  test('a record is taken if nobody has renewed it by a second look, ten seconds later', async () => {
    const { replay, look } = await setUp();
    expect(replay.dueInMs).toBe(10_000);
    await clock.advance(9_999);
    // Something else is expected in the spool.
    replay.expect(0);
    expect(await look()).toBeUndefined();
    expect(kinds()).toEqual(['live']);
    await clock.advance(1);
    replay.expect(0);
    expect(parseSpoolName((await look()) ?? '')?.state.kind).toBe('claimed');
  });

  test('it is left alone where its process lives and renews it', async () => {
    const { spool, look } = await setUp();
    spool.record.freshen();
    await clock.advance(10_000);
    expect(await look()).toBeUndefined();
    // So it stands still a second time: what was seen before counts no more.
    now += 3_600_000;
    await clock.advance(60_000);
    expect(await look()).toBeUndefined();
    expect(kinds()).toEqual(['live']);
  });

  test('it is left alone where it is renewed between the look and the claim', async () => {
    const { spool, other } = await setUp();
    const { stale } = other.claim();
    expect(stale).toHaveLength(1);
    spool.record.freshen();
    now += 3_600_000;
    expect(other.claim(stale).claimed).toBeUndefined();
  });
});

test('who has kept nothing forgets what an earlier keeper of the same process has left, and nothing of others', () => {
  spoolOf('a').record.keep(record('old'));
  spoolOf('b').record.keep(record('of another'));
  spoolOf('a').record.forget();
  expect(readdirSync(root).map((file) => parseSpoolName(file)?.instance)).toEqual(['b']);
});

test('a new keeper of the same process takes the place of one that was killed', () => {
  spoolOf('a').record.keep(record('old'));
  spoolOf('b').record.keep(record('of another'));
  const spool = spoolOf('a');
  spool.record.keep(record('new'));
  expect(kinds()).toEqual(['live', 'live']);
  spool.record.bequeath();
  expect(claimed(spoolOf('c'))).toBe('new');
});

test('the record of a process that lives is not removed to make room', () => {
  const spool = spoolOf('a');
  spool.record.keep(record('it'));
  const other = spoolOf('b', 2);
  for (let i = 0; i < 5; i++) other.put(record(`dump ${i}`), 'ready');
  expect(kinds().sort()).toEqual(['live', 'ready']);
});
