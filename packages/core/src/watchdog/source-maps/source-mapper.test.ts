import { beforeEach, describe, expect, test } from 'vitest';
import { HelperFailure } from '../delivery/helper-process.ts';
import { ManualClock, settle } from '../delivery/testing/manual-clock.ts';
import type { MapResult, MapTask } from './map-protocol.ts';
import { SourceMapper } from './source-mapper.ts';

let clock: ManualClock;
let tasks: MapTask[];

beforeEach(() => {
  clock = new ManualClock();
  tasks = [];
});

const inTypeScript = ({ script, positions }: MapTask): MapResult => ({
  positions: positions.map(([line, column]) => ({
    file: script.replace('.js', '.ts'),
    line: line + 100,
    column,
    kind: 'app',
  })),
});

function mapperOf(answer: ((task: MapTask) => MapResult | Promise<MapResult>) | undefined): SourceMapper {
  const ask =
    answer &&
    (async (task: MapTask) => {
      tasks.push(task);
      return answer(task);
    });
  return new SourceMapper({ ask, clock, cwd: '/srv', startedAtMs: 5_000 });
}

const at = (file: string, line = 1, kind?: string) => ({
  file,
  line,
  column: 4,
  ...(kind === undefined ? {} : { kind }),
});
const hang = () => new Promise<never>(() => undefined);

describe('asks', () => {
  test('once a position, all of a script together, and remembers', async () => {
    const mapper = mapperOf(inTypeScript);
    const value = [at('/srv/a.js'), at('/srv/a.js', 2), at('/srv/a.js'), at('/srv/b.js')];
    const { value: mapped, note } = await mapper.map(value);
    expect(mapped.map(({ file, line }) => `${file}:${line}`)).toEqual([
      '/srv/a.ts:101',
      '/srv/a.ts:102',
      '/srv/a.ts:101',
      '/srv/b.ts:101',
    ]);
    expect(note).toBeUndefined();
    expect(tasks.map(({ script, positions }) => [script, positions.length])).toEqual([
      ['/srv/a.js', 2],
      ['/srv/b.js', 1],
    ]);
    expect((await mapper.map(value)).value).toEqual(mapped);
    await mapper.map(at('/srv/a.js', 3));
    expect(tasks.slice(2)).toEqual([{ script: '/srv/a.js', positions: [[3, 4]], cwd: '/srv' }]);
    expect(clock.pending).toBe(0);
  });

  test('for the application’s own scripts only', async () => {
    const mapper = mapperOf(inTypeScript);
    const value = [
      at('node:internal/x', 1, 'node'),
      at('<builtin>', 0, 'node'),
      at('/srv/node_modules/pg/a.js', 1, 'dependency'),
      at('/srv/node_modules/pg/a.js'),
      at('/srv/h.js', 1, 'hangwatch'),
      at('webpack-internal:///a.js', 1, 'app'),
      at('/srv/a.js', 0, 'app'),
    ];
    expect((await mapper.map(value)).value).toBe(value);
    expect(tasks).toEqual([]);
  });

  test('once for a script without a map', async () => {
    const mapper = mapperOf(() => ({}));
    for (const line of [1, 2, 3])
      expect(await mapper.map(at('/srv/a.js', line))).toEqual({ value: at('/srv/a.js', line), note: undefined });
    expect(tasks).toHaveLength(1);
  });
});

describe('a map that cannot be used', () => {
  test('is noted in every report with such places, and tried again after ten minutes', async () => {
    const mapper = mapperOf(() => ({ problem: 'its source map is broken' }));
    for (let i = 0; i < 2; i++) {
      expect(await mapper.map(at('/srv/a.js'))).toEqual({
        value: at('/srv/a.js'),
        note: 'a.js is shown as JavaScript: its source map is broken',
      });
    }
    expect(tasks).toHaveLength(1);
    await clock.advance(600_000);
    await mapper.map(at('/srv/a.js'));
    expect(tasks).toHaveLength(2);
  });

  test('kills the process that reads it, and takes no other script along', async () => {
    const mapper = mapperOf((task) => {
      if (task.script === '/srv/huge.js') throw new HelperFailure('ended');
      return inTypeScript(task);
    });
    const { value, note } = await mapper.map([at('/srv/huge.js'), at('/srv/a.js')]);
    expect(value.map(({ file }) => file)).toEqual(['/srv/huge.js', '/srv/a.ts']);
    expect(note).toMatch(/^huge.js is shown as JavaScript: its source map is too much/);
  });

  test('that takes too long is not waited for; what comes later is there for the next report', async () => {
    let finish = (): void => undefined;
    const mapper = mapperOf(async (task) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return inTypeScript(task);
    });
    const first = mapper.map(at('/srv/a.js'));
    await clock.advance(1_999);
    let settled = false;
    void first.then(() => {
      settled = true;
    });
    await settle();
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await first).toEqual({
      value: at('/srv/a.js'),
      note: 'a.js is shown as JavaScript: its source map was not read in time',
    });
    finish();
    await settle();
    expect((await mapper.map(at('/srv/a.js'))).value).toMatchObject({ file: '/srv/a.ts', line: 101 });
    expect(tasks).toHaveLength(1);
  });

  test('of many, three are named', async () => {
    const mapper = mapperOf(() => ({ problem: 'x' }));
    const { note } = await mapper.map(['a', 'b', 'c', 'd', 'e'].map((name) => at(`/srv/${name}.js`)));
    expect(note?.split('; ')).toHaveLength(4);
    expect(note).toMatch(/; 2 more scripts are like these$/);
  });
});

test('a script that was written after the process had started may not be what runs: that is noted', async () => {
  const mapper = mapperOf((task) => ({
    ...inTypeScript(task),
    writtenAtMs: task.script === '/srv/a.js' ? 6_000 : 4_000,
  }));
  const { value, note } = await mapper.map([at('/srv/a.js'), at('/srv/b.js')]);
  expect(value.map(({ file }) => file)).toEqual(['/srv/a.ts', '/srv/b.ts']);
  expect(note).toBe('a.js was written after the process had started: its lines may be others');
});

test.each([
  ['no process may be started', undefined],
  ['it does not start', () => Promise.reject(new HelperFailure('unavailable'))],
])('where %s, that is said once', async (_, answer) => {
  const mapper = mapperOf(answer);
  expect((await mapper.map(at('/srv/a.js'))).note).toMatch(/^source maps are not applied/);
  expect((await mapper.map(at('/srv/b.js'))).note).toBeUndefined();
  expect(tasks.length).toBeLessThanOrEqual(1);
});

test('when the watchdog stops, nobody waits any longer, and nothing more is asked', async () => {
  const mapper = mapperOf(hang);
  const waiting = mapper.map(at('/srv/a.js'));
  await settle();
  mapper.close();
  expect((await waiting).value).toEqual(at('/srv/a.js'));
  expect((await mapper.map(at('/srv/b.js'))).value).toEqual(at('/srv/b.js'));
  expect(tasks).toHaveLength(1);
});
