import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { destinationOf } from './collectors.ts';
import { CountedSpool } from './counted-spool.ts';
import { newCounters } from './counters.ts';
import type { Delivery } from './delivery.ts';
import { Spool } from './spool.ts';
import { counted, Fixtures } from './testing/delivery-fixture.ts';
import { type Answer, FakeCollector, silence, status } from './testing/fake-collector.ts';
import { makeDump } from './testing/make-dump.ts';
import { settle } from './testing/manual-clock.ts';
import { transpileTo } from './testing/transpile.ts';
import { until } from './testing/until.ts';

let collector: FakeCollector;
let fixtures: Fixtures;

beforeEach(async () => {
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']) vi.stubEnv(name, undefined);
  collector = await new FakeCollector().listen();
  fixtures = new Fixtures();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await fixtures.clean();
  await collector.close();
});

function send(delivery: Delivery, ...ids: string[]): void {
  for (const id of ids) delivery.send(makeDump(id));
}

/** What is known to have ended, of what was sent. */
function ended({ counters }: Delivery): number {
  return counters.acknowledged + counters.rejected + counters.printed + counters.stderrLost + counters.dropped;
}

describe('to a collector that answers', () => {
  it('posts the dump, compressed, with token and user agent, and counts it', async () => {
    const { delivery, problems } = fixtures.make([`${collector.url}/hangs/`], { token: 's3cret' });
    send(delivery, 'a');
    await counted(delivery, { acknowledged: 1 });
    const [request] = collector.received;
    expect(request).toMatchObject({ method: 'POST', url: '/hangs/v1/dumps', dump: makeDump('a') });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer s3cret',
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'user-agent': 'hangwatch-test/1',
    });
    expect(delivery.counters).toEqual({
      ...newCounters(),
      sent: 1,
      acknowledged: 1,
      bytes: Number(request?.headers['content-length']),
    });
    expect(problems).toEqual([]);
    expect(fixtures.spooled()).toEqual([]);
  });

  it('uses the credentials of the URL where there is no token, and never tells them', async () => {
    const base = collector.url.replace('//', '//user:p%40ss@');
    const { delivery, problems } = fixtures.make([base]);
    collector.answer = status(401);
    send(delivery, 'a');
    await until('the problem', () => problems.length > 0);
    expect(collector.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    expect(JSON.stringify(problems)).not.toMatch(/p@ss|p%40ss/);
  });

  it('keeps order, one post at a time', async () => {
    const { delivery } = fixtures.make([collector.url]);
    send(delivery, 'a', 'b', 'c', 'd');
    await counted(delivery, { acknowledged: 4 });
    expect(collector.ids).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes a name of the loopback without a look-up', async () => {
    const { delivery } = fixtures.make([collector.url.replace('127.0.0.1', 'localhost')]);
    send(delivery, 'a');
    await counted(delivery, { acknowledged: 1 });
  });

  it('does not read an endless answer', async () => {
    let closed = false;
    collector.answer = (response, socket) => {
      response.writeHead(202);
      const more = setInterval(() => response.write('x'.repeat(10_000)), 1);
      socket.on('close', () => {
        closed = true;
        clearInterval(more);
      });
    };
    const { delivery } = fixtures.make([collector.url]);
    send(delivery, 'a');
    await counted(delivery, { acknowledged: 1 });
    await until('the end of the connection', () => closed);
  });

  it('does not change the dump when the caller does, afterwards', async () => {
    const { delivery } = fixtures.make([collector.url]);
    const dump = makeDump('a');
    delivery.send(dump);
    dump.requests.length = 0;
    await counted(delivery, { acknowledged: 1 });
    expect(collector.received[0]?.dump.requests).toHaveLength(1);
  });
});

describe('while the collector fails', () => {
  const failures: [string, Answer][] = [
    ['answers 500', status(500)],
    ['answers 404', status(404)],
    ['redirects', status(307, { location: '/elsewhere' })],
    ['closes in mid-request', (_response, socket) => socket.destroy()],
    [
      'closes in mid-answer',
      (response, socket) => response.writeHead(202, { 'content-length': '9' }).write('x', () => socket.destroy()),
    ],
    ['speaks nonsense', (_response, socket) => socket.end('220 smtp.example.org ESMTP\r\n')],
  ];

  it.each(failures)('(%s) spools the dump, and replays it later', async (_name, answer) => {
    collector.answer = answer;
    const { delivery, clock, problems } = fixtures.make([collector.url]);
    send(delivery, 'a');
    await counted(delivery, { spooled: 1 });
    expect(fixtures.spooled()).toEqual(['ready']);
    expect(problems.map(({ code }) => code)).toEqual(['collector-unreachable']);
    expect(collector.received.map(({ url }) => url)).toEqual(['/v1/dumps']);
    collector.answer = status(202);
    await clock.advance(3_000);
    await counted(delivery, { acknowledged: 1, replayed: 1 });
    await until('an empty spool', () => fixtures.spooled().length === 0);
    expect(ended(delivery)).toBe(1);
  });

  it('(nobody listens) spools everything at once, and replays it oldest first at a bounded rate', async () => {
    await collector.close();
    const { delivery, clock, problems } = fixtures.make([collector.url]);
    send(delivery, 'a');
    await counted(delivery, { spooled: 1 });
    await clock.advance(5);
    send(delivery, 'b');
    await clock.advance(5);
    send(delivery, 'c');
    await counted(delivery, { spooled: 3 });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('ECONNREFUSED');
    await collector.listen();
    const times: number[] = [];
    collector.answer = (...all) => {
      times.push(clock.now());
      status(202)(...all);
    };
    await until('all replayed', () => {
      void clock.advance(10);
      return delivery.counters.replayed === 3;
    });
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(250);
    expect(third - second).toBeGreaterThanOrEqual(250);
    expect(collector.ids).toEqual(['a', 'b', 'c']);
    // Nothing waits, nothing ticks, but for the client's start.
    await clock.advance(3_600_000);
    expect(clock.pending).toBe(0);
  });

  it.each(['fails', 'is not there'])(
    'backs off: an hour in which the collector %s costs few tries, and then all is delivered',
    async (how) => {
      if (how === 'fails') collector.answer = status(500);
      else await collector.close();
      const { delivery, clock } = fixtures.make([collector.url], { random: () => 0.9 });
      send(delivery, 'a');
      for (let minute = 0; minute < 60; minute += 1) {
        await clock.advance(60_000);
        await settle();
      }
      await until('rest', () => fixtures.spooled().join() === 'ready');
      if (how === 'fails') {
        expect(collector.received.length).toBeGreaterThan(5);
        expect(collector.received.length).toBeLessThan(25);
      }
      expect(delivery.counters).toMatchObject({ sent: 1, spooled: 1, acknowledged: 0, dropped: 0 });
      if (how !== 'fails') await collector.listen();
      collector.answer = status(202);
      // The longest pause between two tries, and its jitter.
      await clock.advance(330_000);
      await counted(delivery, { acknowledged: 1, replayed: 1, dropped: 0 });
      await until('an empty spool', () => fixtures.spooled().length === 0);
      expect(collector.ids.at(-1)).toBe('a');
    },
  );

  it('(slow) has a copy on disk after two seconds, and removes it when the answer comes', async () => {
    let release: (() => void) | undefined;
    collector.answer = (response) => {
      release = () => response.writeHead(202).end();
    };
    const { delivery, clock } = fixtures.make([collector.url]);
    send(delivery, 'a');
    await collector.requests(1);
    await clock.advance(1_999);
    expect(fixtures.spooled()).toEqual([]);
    await clock.advance(1);
    expect(fixtures.spooled()).toEqual(['claimed']);
    release?.();
    await counted(delivery, { acknowledged: 1, spooled: 1, replayed: 0 });
    await until('an empty spool', () => fixtures.spooled().length === 0);
    await clock.advance(3_600_000);
    expect(collector.ids).toEqual(['a']);
  });

  it('(silent) gives up after 15 s; what waited behind is on disk after two', async () => {
    collector.answer = silence;
    const { delivery, clock } = fixtures.make([collector.url]);
    send(delivery, 'a', 'b');
    await collector.requests(1);
    await clock.advance(2_000);
    expect(fixtures.spooled()).toEqual(['claimed', 'ready']);
    await clock.advance(13_000);
    await until('its release', () => fixtures.spooled().join() === 'ready,ready');
    collector.answer = status(202);
    await until('both delivered', () => {
      void clock.advance(50);
      return delivery.counters.acknowledged === 2;
    });
    expect(delivery.counters.replayed).toBe(2);
    expect([...collector.ids].sort()).toEqual(['a', 'a', 'b']);
  });
});

describe('with the spool in a process of its own', () => {
  let built: string;

  beforeEach(() => {
    built = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
    transpileTo(built);
  });
  afterEach(() => rmSync(built, { recursive: true, force: true }));

  it('spools and replays', async () => {
    collector.answer = status(500);
    const { delivery, clock } = fixtures.make([collector.url], { spoolProcess: join(built, 'spool-process.js') });
    send(delivery, 'a');
    await counted(delivery, { spooled: 1 });
    collector.answer = status(202);
    await clock.advance(3_000);
    await counted(delivery, { replayed: 1 });
    await until('an empty spool', () => fixtures.spooled().length === 0);
  });

  it('removes the copy of a slow post, also when the answer comes before the copy is done', async () => {
    let release: (() => void) | undefined;
    collector.answer = (response) => {
      release = () => response.writeHead(202).end();
    };
    const { delivery, clock } = fixtures.make([collector.url], { spoolProcess: join(built, 'spool-process.js') });
    send(delivery, 'a');
    await collector.requests(1);
    await clock.advance(2_000);
    release?.();
    await counted(delivery, { acknowledged: 1, spooled: 1, replayed: 0 });
    await until('an empty spool', () => fixtures.spooled().length === 0);
  });

  it('closes in time', async () => {
    collector.answer = silence;
    const { delivery } = fixtures.make([collector.url], {
      clock: systemClock,
      spoolProcess: join(built, 'spool-process.js'),
    });
    send(delivery, 'a', 'b');
    await collector.requests(1);
    const start = performance.now();
    await delivery.close(100);
    expect(performance.now() - start).toBeLessThan(1_500);
    await until('both on disk', () => fixtures.spooled().join() === 'ready,ready');
  });
});

describe('when the collector says no', () => {
  it.each([400, 413, 422])('(%i) keeps the dump as rejected, says why once, and goes on', async (code) => {
    collector.answer = (response, socket, received) =>
      received.dump.id === 'good'
        ? status(202)(response, socket, received)
        : status(code, {}, '{"error":"$.requests[0].id: must be a whole number"}')(response, socket, received);
    const { delivery, clock, problems } = fixtures.make([collector.url]);
    send(delivery, 'bad', 'worse', 'good');
    await counted(delivery, { rejected: 2, acknowledged: 1 });
    await until('both kept', () => fixtures.spooled().join() === 'rejected,rejected');
    expect(problems).toEqual([
      { code: 'dump-rejected', message: expect.stringContaining(`${code} {"error":"$.requests[0].id`) },
    ]);
    await clock.advance(3_600_000);
    expect(collector.received).toHaveLength(3);
    expect(ended(delivery)).toBe(3);
  });

  it('prints a rejected dump where it cannot be kept', async () => {
    collector.answer = status(400);
    const { delivery, stderr } = fixtures.make([collector.url], { spoolDir: '/proc/self/nowhere' });
    send(delivery, 'bad');
    await until('the report', () => stderr.text.includes('/reports'));
    expect(delivery.counters).toMatchObject({ rejected: 1, printed: 0, spooled: 0 });
  });

  it.each([401, 403])(
    '(%i) says so once, keeps the dump, and tries again after a minute at the earliest',
    async (code) => {
      collector.answer = status(code, {}, 'wrong token');
      const { delivery, clock, problems } = fixtures.make([collector.url], { token: 'old' });
      send(delivery, 'a');
      await counted(delivery, { spooled: 1 });
      await clock.advance(59_000);
      expect(collector.received).toHaveLength(1);
      await clock.advance(2_000);
      await collector.requests(2);
      await until('its release', () => fixtures.spooled().join() === 'ready');
      expect(problems.map(({ code: name }) => name)).toEqual(['collector-unauthorized']);
      expect(problems[0]?.message).toContain('wrong token');
      collector.answer = status(202);
      await clock.advance(61_000);
      await counted(delivery, { acknowledged: 1 });
    },
  );

  it.each([429, 503])('(%i) comes back when asked to', async (code) => {
    collector.answer = status(code, { 'retry-after': '120' });
    const { delivery, clock } = fixtures.make([collector.url]);
    send(delivery, 'a');
    await counted(delivery, { spooled: 1 });
    collector.answer = status(202);
    await clock.advance(119_000);
    await settle();
    expect(collector.received).toHaveLength(1);
    await clock.advance(14_000);
    await counted(delivery, { acknowledged: 1 });
  });
});

describe('with several collectors', () => {
  let second: FakeCollector;

  beforeEach(async () => {
    second = await new FakeCollector().listen();
  });
  afterEach(() => second.close());

  it('posts to the first only, while that one acknowledges', async () => {
    const { delivery } = fixtures.make([collector.url, second.url]);
    send(delivery, 'a', 'b');
    await counted(delivery, { acknowledged: 2 });
    expect([collector.ids, second.ids]).toEqual([['a', 'b'], []]);
  });

  it('falls back to the second, and returns to the first', async () => {
    collector.answer = status(500);
    const { delivery, clock } = fixtures.make([collector.url, second.url]);
    send(delivery, 'a', 'b');
    await counted(delivery, { acknowledged: 2, spooled: 0 });
    expect([collector.ids, second.ids]).toEqual([['a'], ['a', 'b']]);
    collector.answer = status(202);
    await clock.advance(1_000);
    send(delivery, 'c');
    await counted(delivery, { acknowledged: 3 });
    expect(collector.ids).toEqual(['a', 'c']);
  });

  it('gives a silent first one five seconds', async () => {
    collector.answer = silence;
    const { delivery, clock } = fixtures.make([collector.url, second.url]);
    send(delivery, 'a');
    await collector.requests(1);
    await clock.advance(5_000);
    await counted(delivery, { acknowledged: 1 });
    expect(second.ids).toEqual(['a']);
    await until('an empty spool', () => fixtures.spooled().length === 0);
  });

  it('offers the second what the first refuses, and rejects what both do', async () => {
    collector.answer = status(413);
    const { delivery } = fixtures.make([collector.url, second.url]);
    send(delivery, 'a');
    await counted(delivery, { acknowledged: 1, rejected: 0 });
    second.answer = status(400);
    send(delivery, 'b');
    await counted(delivery, { acknowledged: 1, rejected: 1 });
  });

  it('uses the good ones of a list with a bad URL', async () => {
    const { delivery, problems } = fixtures.make(['ftp://user:secret@files', second.url]);
    send(delivery, 'a');
    await counted(delivery, { acknowledged: 1 });
    expect(problems).toEqual([
      { code: 'collector-invalid', message: 'collector must be an http:// or https:// URL, got "ftp://files"' },
    ]);
  });
});

describe('across restarts', () => {
  it('replays what the last start has left, soon after the next', async () => {
    await collector.close();
    const first = fixtures.make([collector.url]);
    send(first.delivery, 'a');
    await counted(first.delivery, { spooled: 1 });
    await first.delivery.close(100);
    await collector.listen();
    const second = fixtures.make([collector.url]);
    await second.clock.advance(1_600);
    await counted(second.delivery, { acknowledged: 1, replayed: 1, sent: 0 });
    expect(collector.ids).toEqual(['a']);
    await until('an empty spool', () => fixtures.spooled().length === 0);
  });

  it('posts a new dump while the spool takes its time to say what is in it, and gives back what that claims too late', async () => {
    await collector.close();
    const first = fixtures.make([collector.url]);
    send(first.delivery, 'old');
    await counted(first.delivery, { spooled: 1 });
    await first.delivery.close(0);
    await collector.listen();
    let goOn = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { claim } = CountedSpool.prototype;
    const looks = vi.spyOn(CountedSpool.prototype, 'claim').mockImplementation(async function (
      this: CountedSpool,
      all,
    ) {
      const result = await claim.call(this, all);
      await slow;
      return result;
    });
    try {
      const { delivery, clock } = fixtures.make([collector.url]);
      await clock.advance(1_600);
      expect(looks).toHaveBeenCalledOnce();
      send(delivery, 'new', 'newer');
      await counted(delivery, { acknowledged: 2 });
      expect(fixtures.spooled()).toEqual(['claimed']);
      const closed = delivery.close(1_000);
      goOn();
      await closed;
      expect(fixtures.spooled()).toEqual(['ready']);
      expect([collector.ids, looks.mock.calls.length]).toEqual([['new', 'newer'], 1]);
    } finally {
      looks.mockRestore();
    }
  });

  it('delivers what a process had claimed when it died, after the lease, without being told', async () => {
    await collector.close();
    const first = fixtures.make([collector.url]);
    send(first.delivery, 'a');
    await counted(first.delivery, { spooled: 1 });
    await first.delivery.close(0);
    const crashed = new Spool(
      {
        spoolDir: fixtures.spoolDir,
        destination: destinationOf([collector.url]),
        instance: 'crashed',
        maxFiles: 10,
        maxBytes: 1e6,
        leaseMs: 300_000,
      },
      () => first.clock.wallNow(),
    );
    expect(crashed.claim().claimed).toBeDefined();
    await collector.listen();
    const second = fixtures.make([collector.url]);
    await second.clock.advance(290_000);
    await settle();
    expect(collector.received).toEqual([]);
    await second.clock.advance(11_000);
    await counted(second.delivery, { replayed: 1 });
  });

  it('shares a folder between processes without doubling or losing anything', async () => {
    await collector.close();
    const first = fixtures.make([collector.url]);
    const ids = Array.from({ length: 20 }, (_, index) => `d${index}`);
    send(first.delivery, ...ids);
    await counted(first.delivery, { spooled: 20 });
    await first.delivery.close(0);
    await collector.listen();
    const others = [fixtures.make([collector.url]), fixtures.make([collector.url]), fixtures.make([collector.url])];
    const total = () => others.reduce((sum, { delivery }) => sum + delivery.counters.replayed, 0);
    await until('all delivered', () => {
      for (const { clock } of others) void clock.advance(300);
      return total() === 20;
    });
    expect([...collector.ids].sort()).toEqual([...ids].sort());
    expect(others.filter(({ delivery }) => delivery.counters.replayed > 0).length).toBeGreaterThan(1);
  });

  it('leaves dumps for another collector alone', async () => {
    await collector.close();
    const first = fixtures.make([collector.url]);
    send(first.delivery, 'a');
    await counted(first.delivery, { spooled: 1 });
    await first.delivery.close(0);
    await collector.listen();
    const { clock } = fixtures.make([`${collector.url}/other`]);
    await clock.advance(3_600_000);
    expect(collector.received).toEqual([]);
    expect(fixtures.spooled()).toEqual(['ready']);
  });
});

describe('without a usable spool', () => {
  const unusable: [string, string, () => string][] = [
    ['cannot be created', 'spool-failed', () => '/proc/self/nowhere'],
    [
      'is a symbolic link',
      'spool-refused',
      () => {
        symlinkSync('/tmp', join(fixtures.spoolDir, 'link'));
        return join(fixtures.spoolDir, 'link');
      },
    ],
  ];

  it.each(unusable)('(the folder %s) says so once and keeps dumps in memory', async (_name, code, spoolDir) => {
    await collector.close();
    const { delivery, clock, problems } = fixtures.make([collector.url], { spoolDir: spoolDir() });
    send(delivery, 'a', 'b', 'c');
    await until('the problem', () => problems.some((problem) => problem.code === code));
    await settle();
    expect(problems).toHaveLength(2);
    await collector.listen();
    await clock.advance(3_000);
    await counted(delivery, { acknowledged: 3, spooled: 0 });
    expect([...collector.ids].sort()).toEqual(['a', 'b', 'c']);
  });

  it('prints what no longer fits in memory, the oldest first', async () => {
    await collector.close();
    const { delivery, clock, stderr } = fixtures.make([collector.url], {
      spoolDir: '/proc/self/nowhere',
      queueLimit: 3,
    });
    send(delivery, 'a', 'b', 'c', 'd', 'e');
    await counted(delivery, { printed: 2 });
    expect(stderr.text.match(/\/reports/g)?.length).toBeGreaterThanOrEqual(2);
    await collector.listen();
    await clock.advance(3_000);
    await counted(delivery, { acknowledged: 3, printed: 2, stderrLost: 0, dropped: 0 });
    expect(ended(delivery)).toBe(5);
  });

  it('counts what not even stderr takes', async () => {
    await collector.close();
    const { delivery, clock, stderr, problems } = fixtures.make([collector.url], {
      spoolDir: '/proc/self/nowhere',
      queueLimit: 1,
    });
    stderr.full = true;
    send(delivery, 'a', 'b', 'c');
    await settle();
    await clock.advance(10_000);
    await counted(delivery, { stderrLost: 2 });
    expect(problems.map(({ code }) => code)).toContain('stderr-lost');
    await collector.listen();
    await clock.advance(300_000);
    await counted(delivery, { acknowledged: 1 });
    expect(ended(delivery)).toBe(3);
  });
});

it('drops the oldest dumps of a full spool, and counts them', async () => {
  await collector.close();
  const { delivery, clock, problems } = fixtures.make([collector.url], { spoolFiles: 2 });
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    send(delivery, id);
    await clock.advance(1);
  }
  await counted(delivery, { spooled: 5, dropped: 3 });
  expect(problems.map(({ code }) => code)).toEqual(['collector-unreachable', 'dumps-dropped']);
  await collector.listen();
  await clock.advance(400_000);
  await counted(delivery, { acknowledged: 2 });
  expect(collector.ids).toEqual(['d', 'e']);
  expect(ended(delivery)).toBe(5);
});

it('counts a dump that cannot be turned into JSON, and goes on', async () => {
  const { delivery, problems } = fixtures.make([collector.url]);
  const circular = makeDump('a');
  Object.assign(circular.process, { self: circular });
  delivery.send(circular);
  send(delivery, 'b');
  await counted(delivery, { sent: 2, dropped: 1, acknowledged: 1 });
  expect(problems.map(({ code }) => code)).toEqual(['dump-unpackable']);
});

describe('without a collector', () => {
  it('prints readable reports', async () => {
    const { delivery, stderr } = fixtures.make([]);
    send(delivery, 'a');
    await counted(delivery, { printed: 1 });
    expect(stderr.text).toContain('GET /reports');
    expect(stderr.text).not.toContain('\u001b');
    expect(fixtures.spooled()).toEqual([]);
    await delivery.close(100);
  });

  it('prints as well where the only one is no URL', async () => {
    const { delivery, problems } = fixtures.make(['collector:4747']);
    send(delivery, 'a');
    await counted(delivery, { printed: 1 });
    expect(problems.map(({ code }) => code)).toEqual(['collector-invalid']);
  });

  it('counts reports that nobody reads, and closes in time', async () => {
    const { delivery, stderr } = fixtures.make([], { clock: systemClock });
    stderr.full = true;
    send(delivery, 'a', 'b');
    const start = performance.now();
    await delivery.close(200);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(delivery.counters).toMatchObject({ sent: 2, printed: 0, stderrLost: 2 });
  });
});

describe('close', () => {
  it('posts what waits, when the collector takes it', async () => {
    const { delivery } = fixtures.make([collector.url], { clock: systemClock });
    send(delivery, 'a', 'b', 'c');
    await delivery.close(5_000);
    expect(delivery.counters).toMatchObject({ acknowledged: 3, spooled: 0 });
  });

  it.each([0, 100, 1_000])(
    'spools the rest within its deadline of %i ms in front of a black hole',
    async (deadlineMs) => {
      const blackHole = createServer(() => undefined);
      await new Promise<void>((resolve) => blackHole.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(blackHole.address() as AddressInfo).port}`;
      const { delivery } = fixtures.make([url], { clock: systemClock });
      send(delivery, 'a', 'b', 'c');
      const start = performance.now();
      await delivery.close(deadlineMs);
      expect(performance.now() - start).toBeLessThan(deadlineMs + 1_000);
      expect(fixtures.spooled()).toEqual(['ready', 'ready', 'ready']);
      expect(delivery.counters).toMatchObject({ sent: 3, spooled: 3, dropped: 0, printed: 0 });
      blackHole.close();
    },
  );

  it('prints what can be neither posted nor spooled', async () => {
    await collector.close();
    const { delivery, stderr } = fixtures.make([collector.url], { clock: systemClock, spoolDir: '/proc/self/nowhere' });
    send(delivery, 'a', 'b');
    await delivery.close(1_000);
    expect(delivery.counters).toMatchObject({ printed: 2, acknowledged: 0, stderrLost: 0 });
    expect(stderr.text).toContain('GET /reports');
  });

  it.each([
    ['posted', { acknowledged: 1 }, 1],
    ['spooled', { spooled: 1 }, 1],
    ['only printed', { printed: 1 }, 0],
  ])('forgets the record of the process if its end is told: %s', async (way, counters, forgotten) => {
    if (way !== 'posted') await collector.close();
    const spoolDir = way === 'only printed' ? '/proc/self/nowhere' : fixtures.spoolDir;
    const { delivery } = fixtures.make([collector.url], { clock: systemClock, spoolDir });
    const forget = vi.spyOn(CountedSpool.prototype, 'forgetRecord');
    delivery.keepRecord(makeDump('end'));
    send(delivery, 'end');
    await delivery.close(1_000);
    expect(delivery.counters).toMatchObject(counters);
    expect(forget).toHaveBeenCalledTimes(forgotten);
    forget.mockRestore();
  });

  it('is the same however often it is called, leaves no timer, and prints what comes too late', async () => {
    const { delivery, clock, stderr } = fixtures.make([collector.url]);
    const closing = delivery.close(1_000);
    expect(delivery.close(5)).toBe(closing);
    await clock.advance(1_000);
    await closing;
    expect(clock.pending).toBe(0);
    send(delivery, 'late');
    await counted(delivery, { printed: 1 });
    expect(stderr.text).toContain('GET /reports');
    await clock.advance(3_600_000);
    expect(collector.received).toEqual([]);
  });
});
