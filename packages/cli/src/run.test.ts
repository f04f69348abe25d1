import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { type Collector, createCollector } from '@hangwatch/collector';
import type { Dump } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CliIo } from './cli-io.ts';
import { run } from './run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-cli-'));
const now = new Date('2026-01-31T09:31:00.000Z');

/** A command that runs in a world of its own. */
function start(argv: string[], { env = {}, stdin = '' }: { env?: Record<string, string>; stdin?: string } = {}) {
  const stop = new AbortController();
  const said = { out: '', err: '' };
  const output = (name: 'out' | 'err') => ({
    write: (text: string, done: (error?: Error | null) => void) => {
      said[name] += text;
      done();
    },
  });
  const io: CliIo = {
    stdout: output('out'),
    stderr: output('err'),
    stdin: Readable.from([stdin]),
    env,
    now: () => now,
    stopSignal: () => stop.signal,
  };
  return { said, stop: () => stop.abort(), code: run(argv, io) };
}

async function cli(argv: string[], world: { env?: Record<string, string>; stdin?: string } = {}) {
  const { said, code } = start(argv, world);
  return { code: await code, ...said };
}

describe('called wrongly: one line on stderr, exit code 2', () => {
  test.each([
    [['bogus'], "hangwatch: unknown command 'bogus'\n"],
    [['collectr'], "hangwatch: unknown command 'collectr' (Did you mean collector?)\n"],
    [['show'], "hangwatch: missing required argument 'file|id|-'\n"],
    [['list', '--nope'], "hangwatch: unknown option '--nope'\n"],
    [
      ['list', '-n', '0'],
      /^hangwatch: option '-n, --limit <number>' argument '0' is invalid. It must be a whole number from 1 to 500\.\n$/,
    ],
    [['tail', '--since', 'yesterday at noon'], /It must be all, a duration such as 10m/],
    [['collector', '--port', '99999'], /It must be a whole number from 0 to 65535\.\n$/],
    [['collector', '--max-age', '0'], /It must be a duration such as 90d/],
    [
      ['collector', '--host', '0.0.0.0', '--db', ':memory:'],
      'hangwatch: --host "0.0.0.0" can be reached from other machines: set --token (HANGWATCH_TOKEN), or listen on 127.0.0.1\n',
    ],
    [
      ['collector', '--token', 'short', '--db', ':memory:'],
      'hangwatch: --token must be a string of 8 or more printable ASCII characters without spaces, got a string of 5\n',
    ],
    [['list', '--collector', 'ftp://x'], 'hangwatch: the collector must be an http or https URL, got "ftp://x"\n'],
    [['list', '--collector', 'http://user:secret@x'], /must be an http or https URL/],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await cli(argv);
    expect([code, out]).toEqual([2, '']);
    if (typeof message === 'string') expect(err).toBe(message);
    else expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a wrong HANGWATCH_PORT', async () => {
    expect(await cli(['collector', '--db', ':memory:'], { env: { HANGWATCH_PORT: 'x' } })).toEqual({
      code: 2,
      out: '',
      err: 'hangwatch: HANGWATCH_PORT must be a whole number from 0 to 65535, got "x"\n',
    });
  });

  test('no command at all gets the help', async () => {
    const { code, out, err } = await cli([]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('hangwatch show 0d0f3ad2');
  });
});

test('help and version go to stdout', async () => {
  expect(await cli(['--version'])).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' });
  for (const argv of [['--help'], ['help'], ['tail', '--help'], ['help', 'collector']]) {
    const { code, out, err } = await cli(argv);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Usage: hangwatch');
  }
  expect((await cli(['collector', '--help'])).out).toContain('HANGWATCH_TOKEN=… hangwatch collector --host 0.0.0.0');
});

describe('show', () => {
  const file = (name: string, content: string) => {
    const full = path.join(folder, name);
    writeFileSync(full, content);
    return full;
  };
  const dump = sampleDump({ id: 'from-a-file' });

  test('a file', async () => {
    const { code, out, err } = await cli(['show', file('one.json', JSON.stringify(dump))]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^HANG \(no progress\): 2 of 3 requests .*\n {2}orders 1\.4\.2, .*2026-01-31 09:30:00Z \(1 min ago\)/,
    );
    expect(out).not.toContain('\u001b');
  });

  test('NDJSON on stdin, as text with empty lines between and as NDJSON', async () => {
    const stdin = [dump, { ...dump, id: 'second', kind: 'gone', follows: dump.id, later: '\u202e' }]
      .map((one) => JSON.stringify(one))
      .join('\n');
    const text = await cli(['show', '-'], { stdin });
    expect(text.out.split(/\n\n(?=\d{4}|HANG)/)).toHaveLength(2);
    const json = await cli(['show', '-', '--json'], { stdin });
    expect(
      json.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['from-a-file', 'second']);
    expect(json.out).toContain('"later":"\\u202e"');
  });

  test('colours on demand, before and after the command', async () => {
    const source = file('color.json', JSON.stringify(dump));
    for (const argv of [
      ['--color', 'show', source],
      ['show', source, '--color'],
    ]) {
      expect((await cli(argv)).out).toContain('\u001b[');
    }
    expect((await cli(['show', source, '--no-color'], { env: { FORCE_COLOR: '1' } })).out).not.toContain('\u001b[');
  });

  test.each([
    ['no/such/file.json', 'hangwatch: there is no file "no/such/file.json"\n'],
    [folder, /^hangwatch: cannot read .*EISDIR/],
    [file('wrong.json', '{}'), /is not a dump: schema must be "hangwatch\.dump\/1", got nothing\n$/],
    [file('\u001b[31mred.json', ''), /\\x1b\[31mred\.json is empty\n$/],
  ])('%s: one line, exit code 1', async (source, message) => {
    const { code, out, err } = await cli(['show', source]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('with a collector', () => {
  let collector: Collector;
  let from: string[];
  const token = 'token-of-the-test';
  beforeAll(async () => {
    collector = await createCollector({ port: 0, db: ':memory:', token });
    from = ['--collector', await collector.listen(), '--token', token];
  });
  afterAll(() => collector.close());

  const send = async (...dumps: Dump[]) => {
    const response = await fetch(`${collector.url}/v1/dumps`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${token}` },
      body: dumps.map((dump) => JSON.stringify(dump)).join('\n'),
    });
    expect(response.status).toBe(202);
  };
  const latestLines = (text: string) => text.trimEnd().split('\n');

  test('an empty list says so on stderr', async () => {
    expect(await cli(['list', ...from])).toEqual({ code: 0, out: '', err: 'hangwatch: no dump has arrived yet\n' });
  });

  test('list: one line a dump, newest first', async () => {
    await send(sampleDump({ id: 'list-1' }), sampleDump({ id: 'list-2', kind: 'recovered' }));
    const { code, out } = await cli(['list', ...from, '-n', '2']);
    expect(code).toBe(0);
    expect(latestLines(out)).toEqual([
      expect.stringMatching(/^2026-01-31 09:30:00Z \(1 min ago\) {2}RECOVERED {2}orders: 2 of 3 .* \[list-2\]$/),
      expect.stringMatching(/HANG \(no progress\) {2}orders: .* \[list-1\]$/),
    ]);
    const json = await cli(['list', ...from, '--json', '-n', '1']);
    expect(JSON.parse(json.out)).toMatchObject({ id: 'list-2', kind: 'recovered', stuck: 2 });
  });

  test('show: by id, by its beginning, and not when that is ambiguous', async () => {
    await send(sampleDump({ id: 'show-abc-1' }), sampleDump({ id: 'show-abc-2' }), sampleDump({ id: 'show-abc' }));
    const id = async (source: string) => JSON.parse((await cli(['show', source, ...from, '--json'])).out || 'null')?.id;
    expect([await id('show-abc-1'), await id('show-abc'), await id('show-abc-2')]).toEqual([
      'show-abc-1',
      'show-abc',
      'show-abc-2',
    ]);
    expect(await cli(['show', 'show-ab', ...from])).toEqual({
      code: 1,
      out: '',
      err: 'hangwatch: more than one dump has an id that begins with show-ab: give more of it\n',
    });
    expect(await cli(['show', 'nothing', ...from])).toEqual({
      code: 1,
      out: '',
      err: 'hangwatch: there is neither a file nor a dump "nothing"\n',
    });
  });

  test('address and token come from the environment too; a list’s first is taken', async () => {
    const env = { HANGWATCH_COLLECTOR: `${collector.url} , http://127.0.0.1:1`, HANGWATCH_TOKEN: token };
    expect((await cli(['list'], { env })).code).toBe(0);
    expect(await cli(['list'], { env: { ...env, HANGWATCH_TOKEN: '' } })).toEqual({
      code: 1,
      out: '',
      err: `hangwatch: the collector at ${collector.url}/ wants a token: --token or HANGWATCH_TOKEN\n`,
    });
  });

  test('tail: what arrives, in order, until it is stopped', async () => {
    await send(sampleDump({ id: 'before-tail' }));
    const { said, stop, code } = start(['tail', ...from, '--json']);
    // It has begun when it sees what comes: what came before that it does not show.
    await expect
      .poll(async () => {
        await send(sampleDump({ id: `tail-${Math.random()}` }));
        return said.out;
      })
      .not.toBe('');
    await send(sampleDump({ id: 'tail-last-1' }), sampleDump({ id: 'tail-last-2' }));
    await expect
      .poll(() =>
        latestLines(said.out)
          .slice(-2)
          .map((line) => JSON.parse(line).id),
      )
      .toEqual(['tail-last-1', 'tail-last-2']);
    stop();
    expect(await code).toBe(0);
    expect(said.err).toBe('');
    expect(said.out).not.toContain('before-tail');
  });

  test('tail --since: everything, a time, an id', async () => {
    await send(sampleDump({ id: 'since-1' }), sampleDump({ id: 'since-2' }), sampleDump({ id: 'since-3' }));
    const seen = async (since: string) => {
      const { said, stop, code } = start(['tail', ...from, '--json', '--since', since]);
      await expect.poll(() => said.out).toContain('since-3');
      stop();
      await code;
      return latestLines(said.out).map((line) => JSON.parse(line).id);
    };
    const all = await seen('all');
    expect(all.length).toBeGreaterThan(4);
    expect(await seen('since-1')).toEqual(['since-2', 'since-3']);
    // The clock of the test stands in January 2026: all that the collector has is newer.
    expect(await seen('10m')).toEqual(all);
    expect((await cli(['tail', ...from, '--since', 'no-such-id'])).err).toMatch(
      /there is no dump with the id "no-such-id"/,
    );
  });
});

describe('a collector that is not what it should be', () => {
  let server: Server;
  afterEach(() => new Promise((resolve) => server.close(resolve)));
  const serve = async (listener: RequestListener) => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    return ['--collector', `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`];
  };

  test.each<[string, RequestListener, RegExp]>([
    ['another server', (_request, response) => response.end('<html>'), /answered 200: no JSON\n$/],
    [
      'other JSON',
      (_request, response) => response.end('{"dumps":1}'),
      /does not answer like a hangwatch collector\n$/,
    ],
    [
      'a wrong list',
      (_request, response) => response.end('{"dumps":[{}],"next":null,"latest":"~1"}'),
      /answered with a wrong list\n$/,
    ],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /cannot reach the collector .*redirect/,
    ],
    [
      'escapes in its error',
      (_request, response) => response.writeHead(500).end('{"error":{"message":"\\u001b[31m\\nx"}}'),
      /answered 500: \\x1b\[31m\\nx\n$/,
    ],
    ['a connection that breaks', (_request, response) => response.destroy(), /cannot reach the collector/],
  ])('%s: one line, exit code 1', async (_what, listener, message) => {
    const { code, out, err } = await cli(['list', ...(await serve(listener))]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('tail goes on after a failure, says so once, and begins anew with a database that does', async () => {
    const asked: string[] = [];
    const dump = sampleDump({ id: 'after-the-failure' });
    const from = await serve((request, response) => {
      asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('after') ?? 'start');
      const page = (dumps: Dump[], next: string, latest: string) =>
        response.end(JSON.stringify({ dumps, next, latest }));
      if (asked.length === 1) page([], '~9', '~9');
      else if (asked.length <= 3) response.writeHead(503).end('{"error":{"message":"busy"}}');
      else if (asked.length === 4) page([], '~9', '~0');
      else if (asked.length === 5) page([dump], '~1', '~1');
    });
    const { said, stop, code } = start(['tail', ...from, '--json']);
    await expect.poll(() => said.out, { timeout: 10_000 }).toContain('after-the-failure');
    stop();
    expect(await code).toBe(0);
    expect(asked.slice(0, 5)).toEqual(['start', '~9', '~9', '~9', '~0']);
    expect(said.err).toMatch(
      /^hangwatch: the collector .* answered 503: busy; trying again\nhangwatch: the collector is back\n$/,
    );
    server.closeAllConnections();
  });
});

describe('collector', () => {
  test('says where it is, serves, and ends when asked', async () => {
    const db = path.join(folder, 'cli.db');
    const { said, stop, code } = start(['collector', '--port', '0', '--db', db, '--json', '--max-age', '1d']);
    await expect.poll(() => said.out).not.toBe('');
    const started = JSON.parse(said.out);
    expect(started).toEqual({
      event: 'listening',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      db,
      pid: process.pid,
    });
    expect((await fetch(`${started.url}/healthz`)).status).toBe(200);
    stop();
    expect(await code).toBe(0);
    await expect(fetch(`${started.url}/healthz`)).rejects.toThrow();
  });

  test('takes what is not given from the environment', async () => {
    const db = path.join(folder, 'env.db');
    const env = {
      HANGWATCH_DB: db,
      HANGWATCH_PORT: '0',
      HANGWATCH_HOST: 'localhost',
      HANGWATCH_TOKEN: 'from-the-environment',
    };
    const { said, stop, code } = start(['collector'], { env });
    await expect
      .poll(() => said.out)
      .toMatch(/^hangwatch collector: http:\/\/localhost:\d+ \(dumps are kept in .*env\.db\)\n$/);
    const url = /http:\S+/.exec(said.out)?.[0] ?? '';
    expect((await fetch(`${url}/v1/dumps`)).status).toBe(401);
    stop();
    expect(await code).toBe(0);
  });

  test('a database that cannot be opened, a port in use: one line, exit code 1', async () => {
    const missing = path.join(folder, 'no/such/folder.db');
    expect(await cli(['collector', '--port', '0', '--db', missing])).toMatchObject({
      code: 1,
      err: expect.stringContaining(missing),
    });
    const other = await createCollector({ port: 0, db: ':memory:' });
    const { port } = new URL(await other.listen());
    expect(await cli(['collector', '--port', port, '--db', ':memory:'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(new RegExp(`^hangwatch: cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*\n$`)),
    });
    await other.close();
  });
});

test('output that nobody reads is no error', async () => {
  const dump = sampleDump();
  const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  const io: CliIo = {
    stdout: { write: (_text, done) => done(gone) },
    stderr: { write: (_text, done) => done() },
    stdin: Readable.from([JSON.stringify(dump)]),
    env: {},
    now: () => now,
    stopSignal: () => new AbortController().signal,
  };
  expect(await run(['show', '-'], io)).toBe(0);
});
