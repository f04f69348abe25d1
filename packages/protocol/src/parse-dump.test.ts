import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dump } from './dump.ts';
import { DUMP_LIMITS } from './dump-limits.ts';
import type { DumpRequest } from './dump-request.ts';
import { parseDump } from './parse-dump.ts';

const request: DumpRequest = {
  id: 41,
  method: 'GET',
  route: '/reports/:id',
  path: '/reports/:id',
  state: 'stuck',
  elapsedMs: 10_300,
  idleMs: 10_100,
  timeoutMs: 10_000,
  checkpoint: { label: 'handler', ageMs: 10_200 },
  stacks: [[{ function: 'log', file: '/app/src/lib.ts', line: 3, column: 47, async: true, kind: 'app' }]],
  waitsFor: [{ type: 'lock', label: 'logging', sinceMs: 10_200 }],
};

/** The fields that every version has had, and no other. */
const dump: Dump = {
  schema: 'hangwatch.dump/1',
  id: '0d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10',
  kind: 'hang',
  at: '2026-01-31T09:30:00.000Z',
  process: { service: 'api', hostname: 'web-1', pid: 1, node: '20.20.0', version: '1.0.0', uptimeMs: 60_000 },
  verdict: { evidence: 'no-progress', summary: 'GET /reports/:id has not moved for 10.1 s' },
  requests: [request],
  eventLoop: { delayP99Ms: 11.5, utilization: 0.02 },
  resources: { Timeout: 2 },
  suppressed: { dumps: 0, requests: 0 },
};

/** The dump as it arrives, with the value at a path replaced, or removed where `value` is undefined. */
function changed(path: (string | number)[], value: unknown): unknown {
  const copy: unknown = structuredClone(dump);
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => Reflect.get(Object(at), key), copy);
  const last = path.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(Object(parent), last);
  else Reflect.set(Object(parent), last, value);
  return copy;
}

const issuesOf = (value: unknown) => {
  const result = parseDump(value);
  return result.ok ? [] : result.issues;
};

test('a dump with the first version’s fields alone is accepted, and is the value itself', () => {
  const result = parseDump(dump);
  expect(result).toEqual({ ok: true, dump });
  expect(result.ok && result.dump).toBe(dump);
});

test('fields that this version does not know are accepted and kept, at every level', () => {
  const newer = {
    ...dump,
    forecast: [{ at: 1 }],
    requests: [{ ...request, locals: { a: 1 }, checkpoint: { ...request.checkpoint, source: 'x' } }],
  };
  const result = parseDump(JSON.parse(JSON.stringify(newer)));
  expect(result).toEqual({ ok: true, dump: newer });
});

test('evidence classes that the first watchdogs do not send are known', () => {
  expect(parseDump(changed(['verdict', 'evidence'], 'proven-cycle')).ok).toBe(true);
});

describe('says where, what is expected and what was given', () => {
  test.each<[(string | number)[], unknown, string, string]>([
    [['schema'], 'hangwatch.dump/2', 'schema', 'must be "hangwatch.dump/1", got "hangwatch.dump/2"'],
    [['id'], '../../etc', 'id', 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ -, got "../../etc"'],
    [['id'], undefined, 'id', 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ -, got nothing'],
    [['kind'], 'nonsense', 'kind', expect.stringMatching(/^must be one of "hang", .*, got "nonsense"$/)],
    [['block'], { sinceMs: -1 }, 'block.sinceMs', 'must be a number of milliseconds, 0 or more, got -1'],
    [['at'], 1_700_000_000_000, 'at', 'must be an ISO 8601 time with a time zone, got 1700000000000'],
    [['at'], '2026-13-01T00:00:00Z', 'at', 'must be an ISO 8601 time with a time zone, got "2026-13-01T00:00:00Z"'],
    [['process'], [], 'process.service', 'must be a string of at most 4096 characters, got nothing'],
    [['process'], 'api', 'process', 'must be an object, got "api"'],
    [['process', 'pid'], 1.5, 'process.pid', 'must be a whole number, 0 or more, got 1.5'],
    [['requests'], {}, 'requests', 'must be a list of at most 100000 items, got an object'],
    [
      ['requests', 0, 'method'],
      undefined,
      'requests[0].method',
      'must be a string of at most 4096 characters, got nothing',
    ],
    [['requests', 0, 'idleMs'], -1, 'requests[0].idleMs', 'must be a number of milliseconds, 0 or more, got -1'],
    [
      ['requests', 0, 'stacks', 0, 0, 'line'],
      '3',
      'requests[0].stacks[0][0].line',
      'must be a whole number, 0 or more, got "3"',
    ],
    [['requests', 0, 'stacks', 0], null, 'requests[0].stacks[0]', 'must be a list of at most 256 items, got null'],
    [
      ['requests', 0, 'checkpoint', 'label'],
      7,
      'requests[0].checkpoint.label',
      'must be a string of at most 4096 characters, got 7',
    ],
    [['eventLoop', 'utilization'], null, 'eventLoop.utilization', 'must be a number from 0 to 1, got null'],
    [['resources', 'a b'], true, 'resources["a b"]', 'must be a whole number, 0 or more, got true'],
    [['resources'], [1], 'resources', 'must be an object of at most 1000 counts by type, got a list of 1'],
  ])('%j = %j', (path, value, where, message) => {
    expect(issuesOf(changed(path, value))[0]).toEqual({ path: where, message });
  });

  test('a value that is no object', () => {
    const message = 'must be a dump: a JSON object with "schema": "hangwatch.dump/1"';
    expect(issuesOf(null)).toEqual([{ path: '', message: `${message}, got null` }]);
    expect(issuesOf([dump])[0]).toEqual({ path: 'schema', message: 'must be "hangwatch.dump/1", got nothing' });
  });

  test('long values are cut', () => {
    expect(issuesOf(changed(['kind'], 'x'.repeat(5_000)))[0]?.message).toMatch(
      /^must be one of "hang", .*, got "x{60}"… \(5000 characters\)$/,
    );
  });
});

describe('limits', () => {
  test.each<[string, unknown, string]>([
    ['text', changed(['verdict', 'summary'], 'x'.repeat(DUMP_LIMITS.text + 1)), 'verdict.summary'],
    ['frames', changed(['requests', 0, 'stacks', 0], Array(DUMP_LIMITS.frames + 1).fill(0)), 'requests[0].stacks[0]'],
    ['stacks', changed(['requests', 0, 'stacks'], Array(DUMP_LIMITS.stacks + 1).fill([])), 'requests[0].stacks'],
    ['waits', changed(['requests', 0, 'waitsFor'], Array(DUMP_LIMITS.waits + 1).fill(0)), 'requests[0].waitsFor'],
    [
      'recorder',
      changed(['recorder'], {
        reachMs: 0,
        resolutionMs: 0,
        omitted: 0,
        entries: Array(DUMP_LIMITS.recorder + 1).fill(0),
      }),
      'recorder.entries',
    ],
    ['requests', changed(['requests'], Array(DUMP_LIMITS.requests + 1).fill(0)), 'requests'],
    [
      'resources',
      changed(['resources'], Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`T${i}`, 1]))),
      'resources',
    ],
  ])('one more %s than allowed is one issue, not one for each', (_name, value, path) => {
    expect(issuesOf(value).map((issue) => issue.path)).toEqual([path]);
  });

  test('at most 20 issues come back, however many requests are wrong', () => {
    const issues = issuesOf(changed(['requests'], Array(DUMP_LIMITS.requests).fill({})));
    expect(issues).toHaveLength(20);
    expect(issues[0]).toEqual({ path: 'requests[0].id', message: 'must be a whole number, 0 or more, got nothing' });
  });
});

test('looks no further than the issues that it returns', () => {
  const trap = new Proxy({}, { get: () => expect.unreachable('it was looked at') });
  expect(issuesOf({ ...dump, requests: [{}, {}, trap] })).toHaveLength(20);
});

test('a key named __proto__ pollutes nothing and is checked like any other', () => {
  const hostile = JSON.parse(JSON.stringify(dump).replace('"resources":{', '"resources":{"__proto__":{"polluted":1},'));
  expect(issuesOf(hostile)).toEqual([
    { path: 'resources.__proto__', message: 'must be a whole number, 0 or more, got an object' },
  ]);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});

describe('properties', () => {
  const paths = (value: unknown, prefix: (string | number)[] = []): (string | number)[][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, child]) => {
          const path = [...prefix, Array.isArray(value) ? Number(key) : key];
          return [path, ...paths(child, path)];
        })
      : [];

  test('never throws, and says yes or says why', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const result = parseDump(value);
        expect(result.ok || result.issues.length > 0).toBe(true);
      }),
    );
  });

  test('whichever field is replaced by a symbol of no type of JSON’s, an issue names it or its parent', () => {
    fc.assert(
      fc.property(fc.constantFrom(...paths(dump)), (path) => {
        const text = path
          .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
          .join('')
          .replace(/^\./, '');
        expect(issuesOf(changed(path, Symbol('wrong'))).map((issue) => issue.path)).toContain(text);
      }),
    );
  });

  test('any JSON added under an unknown name is kept through a round trip', () => {
    const name = fc.string().filter((key) => key !== '__proto__' && !(key in dump));
    fc.assert(
      fc.property(name, fc.jsonValue(), (key, value) => {
        const text = JSON.stringify({ ...dump, [key]: value });
        const result = parseDump(JSON.parse(text));
        expect(result.ok && JSON.stringify(result.dump)).toBe(text);
      }),
    );
  });
});
