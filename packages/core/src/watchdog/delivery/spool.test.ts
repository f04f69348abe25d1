import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool, type SpoolSettings } from './spool.ts';
import { formatSpoolName, parseSpoolName } from './spool-names.ts';

const LEASE_MS = 300_000;
let root: string;
let now: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  now = Date.UTC(2026, 0, 1);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A spool of one process start; its own clock shows the test's time. */
function spoolOf(instance: string, over: Partial<SpoolSettings> = {}): Spool {
  const settings = {
    spoolDir: root,
    destination: '01234567',
    instance,
    maxFiles: 100,
    maxBytes: 1e6,
    leaseMs: LEASE_MS,
  };
  return new Spool({ ...settings, ...over }, () => now);
}

const gzipOf = (id: string, padding = '') => gzipSync(JSON.stringify({ id, padding }), { level: 0 });
const kinds = () =>
  readdirSync(root)
    .map((file) => parseSpoolName(file)?.state.kind ?? file)
    .sort();

/** Puts dumps a millisecond apart. */
function fill(spool: Spool, ...ids: string[]): void {
  for (const id of ids) {
    now += 1;
    spool.put(gzipOf(id), 'ready');
  }
}

/** Claims and discards until there is nothing left. */
function drain(spool: Spool): string[] {
  const ids: string[] = [];
  for (let { claimed } = spool.claim(); claimed; { claimed } = spool.claim()) {
    ids.push(idOf(claimed.gzip));
    spool.discard(claimed.file);
  }
  return ids;
}

function idOf(gzip: Buffer): string {
  return /"id":"([^"]+)"/.exec(execFileSync('gzip', ['-dc'], { input: gzip }).toString())?.[1] ?? '';
}

describe('Spool', () => {
  it('gives back what was stored, oldest first, byte for byte', () => {
    const spool = spoolOf('one');
    const gzip = gzipOf('a');
    spool.put(gzip, 'ready');
    fill(spool, 'b', 'c');
    const first = spool.claim().claimed;
    expect(first?.gzip.equals(gzip)).toBe(true);
    expect(drain(spool)).toEqual(['b', 'c']);
    if (first) spool.discard(first.file);
    expect(readdirSync(root)).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')(
    'writes files for this user alone, under names that carry the instance',
    () => {
      const { file } = spoolOf('0b7e-4242').put(gzipOf('a'), 'ready');
      expect(lstatSync(join(root, file)).mode & 0o777).toBe(0o600);
      expect(file).toMatch(/-0b7e4242-[0-9a-f]{24}\.json\.gz$/);
    },
  );

  it('takes over what an earlier instance has left', () => {
    fill(spoolOf('dead'), 'a', 'b');
    expect(drain(spoolOf('next'))).toEqual(['a', 'b']);
  });

  it('leaves alone what is meant for other collectors, and files of others', () => {
    fill(spoolOf('other', { destination: 'ffffffff' }), 'theirs');
    writeFileSync(join(root, 'notes.txt'), 'mine');
    expect(spoolOf('one').claim().claimed).toBeUndefined();
    expect(kinds()).toEqual(['notes.txt', 'ready']);
  });

  it('gives a file to one process only, and to the next when the lease has run out', () => {
    fill(spoolOf('writer'), 'a');
    const crashed = spoolOf('crashed');
    expect(crashed.claim().claimed).toBeDefined();
    const next = spoolOf('next');
    now += 1_000;
    expect(next.claim()).toEqual({ claimed: undefined, retryInMs: LEASE_MS - 1_000, bad: 0, stale: [] });
    now += LEASE_MS - 1_000;
    const taken = next.claim().claimed;
    expect(taken && idOf(taken.gzip)).toBe('a');
    // The first was not dead, only asleep: it neither removes nor revives what is no longer its own.
    expect(crashed.claim().claimed).toBeUndefined();
    if (taken) next.release(taken.file);
    expect(kinds()).toEqual(['ready']);
  });

  it('does not bring back a file that another process has taken over and delivered', () => {
    fill(spoolOf('writer'), 'a');
    const asleep = spoolOf('asleep');
    const late = asleep.claim().claimed;
    now += LEASE_MS;
    expect(drain(spoolOf('next'))).toEqual(['a']);
    if (late) {
      asleep.release(late.file);
      asleep.setAside(late.file, 'rejected');
      asleep.discard(late.file);
    }
    expect(readdirSync(root)).toEqual([]);
  });

  it('takes a claim from the far future, from before the clock was set back, as abandoned', () => {
    const spool = spoolOf('one');
    fill(spool, 'a');
    spool.claim();
    now -= 10 * LEASE_MS;
    expect(drain(spoolOf('next'))).toEqual(['a']);
  });

  it('stores a copy that is claimed already, and frees it on release', () => {
    const spool = spoolOf('one');
    const { file } = spool.put(gzipOf('a'), 'claimed');
    expect(spool.claim().claimed).toBeUndefined();
    spool.release(file);
    expect(drain(spool)).toEqual(['a']);
  });

  it('lets others go first after a dump has failed five times', () => {
    const spool = spoolOf('one');
    fill(spool, 'poison', 'good');
    for (let tries = 0; tries < 5; tries += 1) {
      const { claimed } = spool.claim();
      expect(claimed && idOf(claimed.gzip)).toBe('poison');
      if (claimed) spool.release(claimed.file);
    }
    expect(drain(spool)).toEqual(['good', 'poison']);
  });

  it('sets aside what is broken, and goes on with the next', () => {
    const spool = spoolOf('one');
    fill(spool, 'torn', 'no-gzip', 'no-json', 'huge', 'good');
    const files = readdirSync(root).sort();
    const path = (index: number) => join(root, files[index] ?? '');
    truncateSync(path(0), readFileSync(path(0)).length - 5);
    writeFileSync(path(1), 'nonsense');
    writeFileSync(path(2), gzipSync('nonsense'));
    truncateSync(path(3), 2e6);
    const { claimed, bad } = spool.claim();
    expect(bad).toBe(4);
    expect(claimed && idOf(claimed.gzip)).toBe('good');
    expect(kinds()).toEqual(['bad', 'bad', 'bad', 'bad', 'claimed']);
  });

  it.skipIf(process.platform === 'win32')(
    "does not wait for a named pipe, nor follow a link, in a file's place",
    () => {
      const spool = spoolOf('one');
      fill(spool, 'a', 'b');
      const [first = '', second = ''] = readdirSync(root).sort();
      rmSync(join(root, first));
      execFileSync('mkfifo', [join(root, first)]);
      rmSync(join(root, second));
      // What the link leads to would do: it is the link that is refused.
      writeFileSync(join(root, 'elsewhere.gz'), gzipOf('stolen'));
      symlinkSync(join(root, 'elsewhere.gz'), join(root, second));
      expect(spool.claim()).toMatchObject({ claimed: undefined, bad: 2 });
    },
  );

  it('sets aside what a dying writer has left unfinished, once nobody can be writing it', () => {
    const spool = spoolOf('one');
    fill(spool, 'a');
    const [file = ''] = readdirSync(root);
    const name = parseSpoolName(file);
    if (!name) throw new Error(`unexpected ${file}`);
    renameSync(join(root, file), join(root, formatSpoolName({ ...name, state: { kind: 'unfinished' } })));
    expect(spool.claim()).toEqual({ claimed: undefined, retryInMs: undefined, bad: 0, stale: [] });
    now += LEASE_MS;
    expect(spool.claim().bad).toBe(1);
    expect(kinds()).toEqual(['bad']);
  });

  it('makes room by number: broken, then rejected, then the oldest; never what is being posted', () => {
    const spool = spoolOf('one', { maxFiles: 4 });
    fill(spool, 'posting');
    spool.claim();
    now += 1;
    const bad = spool.put(gzipOf('bad'), 'claimed').file;
    spool.setAside(bad, 'bad');
    spool.put(gzipOf('rejected'), 'rejected');
    fill(spool, 'a');
    expect(kinds()).toEqual(['bad', 'claimed', 'ready', 'rejected']);
    now += 1;
    expect(spool.put(gzipOf('b'), 'ready').evicted).toBe(0);
    expect(kinds()).toEqual(['claimed', 'ready', 'ready', 'rejected']);
    now += 1;
    expect(spool.put(gzipOf('c'), 'ready').evicted).toBe(0);
    now += 1;
    expect(spool.put(gzipOf('d'), 'ready').evicted).toBe(1);
    expect(kinds()).toEqual(['claimed', 'ready', 'ready', 'ready']);
    expect(drain(spool)).toEqual(['b', 'c', 'd']);
  });

  it('says so when there is no room to be made, and when a dump alone is too large', () => {
    const spool = spoolOf('one', { maxFiles: 1, maxBytes: 5_000 });
    spool.put(gzipOf('a'), 'claimed');
    expect(() => spool.put(gzipOf('b'), 'ready')).toThrow('full of dumps that are being posted');
    expect(() => spool.put(gzipOf('c', 'x'.repeat(6_000)), 'ready')).toThrow('larger than the spool may be');
  });

  it('never exceeds its bounds, and counts each dump that it drops', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 25 }), (sizes) => {
        rmSync(root, { recursive: true, force: true });
        const spool = spoolOf('one', { maxFiles: 7, maxBytes: 3_000 });
        let evicted = 0;
        sizes.forEach((size, index) => {
          now += 1;
          evicted += spool.put(gzipOf(String(index), 'x'.repeat(size)), 'ready').evicted;
          const files = readdirSync(root);
          expect(files.length).toBeLessThanOrEqual(7);
          expect(files.reduce((sum, file) => sum + lstatSync(join(root, file)).size, 0)).toBeLessThanOrEqual(3_000);
          expect(files.length + evicted).toBe(index + 1);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('refuses any name that is not its own', () => {
    const spool = spoolOf('one');
    writeFileSync(join(root, 'victim'), '');
    for (const file of ['victim', '../victim', '/etc/passwd', '']) {
      expect(() => spool.discard(file)).toThrow('is no spool file');
      expect(() => spool.release(file)).toThrow('is no spool file');
    }
    expect(readdirSync(root)).toEqual(['victim']);
  });

  it('comes back when somebody has removed the folder', () => {
    const spool = spoolOf('one');
    fill(spool, 'a');
    rmSync(root, { recursive: true });
    fill(spool, 'b');
    expect(drain(spool)).toEqual(['b']);
  });
});
