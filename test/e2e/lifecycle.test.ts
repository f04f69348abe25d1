import { fileURLToPath } from 'node:url';
import { runScenario } from '@hangwatch/test-utils';
import { expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SCENARIO = fileURLToPath(new URL('../scenarios/e2e/lifecycle.mjs', import.meta.url));

eachNode(({ path: node }) => {
  async function run(name: string, execArgv: string[] = [], ...args: string[]): Promise<Record<string, unknown>> {
    const { stdout, stderr, code } = await runScenario(SCENARIO, { node, execArgv, args: [name, ...args] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  test('a watchdog that dies is said, started again, and finds the next hang', async () => {
    expect(await run('death')).toMatchObject({
      found: true,
      threads: 2,
      problems: expect.arrayContaining(['HANGWATCH_ERR_WATCHDOG_DIED']),
    });
  });

  test('one that dies again and again is given up, which is said, and requests are served', async () => {
    const died = 'HANGWATCH_ERR_WATCHDOG_DIED';
    expect(await run('givenUp')).toEqual({
      statuses: [200, 200],
      problems: [died, died, died, 'HANGWATCH_ERR_WATCHDOG_OFF'],
      threads: 4,
      tracked: 0,
    });
  });

  test('where promises are replaced it says so once, and finds hangs', async () => {
    expect(await run('zone')).toEqual({ found: true, problems: ['HANGWATCH_ERR_STACKS_UNAVAILABLE'] });
  });

  test('where threads are refused it says so once, and requests are served', async () => {
    expect(await run('refused')).toEqual({ statuses: [200, 200], problems: ['HANGWATCH_ERR_WATCHDOG_START'] });
  });

  test('where threads are refused tracking is off: nothing is kept of what a long request does', async () => {
    expect(await run('refusedCalls', ['--expose-gc'])).toEqual({
      free: true,
      tracked: [false],
      listening: [],
      problems: ['HANGWATCH_ERR_WATCHDOG_START'],
    });
  });

  test('labels that vary end in one, take no route’s place, and need not be text', async () => {
    expect(await run('manyLabels')).toEqual({
      status: 200,
      labels: ['other checkpoints', true, 'order 0'],
      newRoute: true,
      problems: [],
    });
  });

  test('starting and stopping a thousand times leaves no thread, no handle, no memory', async () => {
    const result = await run('startStop', ['--expose-gc'], '20');
    expect(result).toMatchObject({ started: 30, threads: 0, registered: false, resources: [] });
    expect(result['idleGrown']).toBeLessThan(1_000);
    // The last thread's buffers may not be free yet, and Node itself keeps some 400 bytes of each: a table that is kept has several times as much.
    expect(result['servingGrown']).toBeLessThan(100_000);
  }, 120_000);

  test('what a request held is free once it has ended, and what outlives it moves nobody', async () => {
    const result = await run('memory', ['--expose-gc']);
    expect(result).toEqual({
      plain: ['promise', 'record', 'request', 'result'],
      stillTracked: 1,
      moved: 0,
      free: true,
      status: 200,
    });
  });

  test('ESM and CommonJS copies share one tracker, which ends with the last registration', async () => {
    expect(await run('twoCopies')).toEqual({
      registrations: 2,
      afterOne: true,
      afterBoth: false,
      problems: ['HANGWATCH_ERR_CONFLICTING_OPTIONS'],
      messages: [
        'service, onHang belong to the whole process, and an earlier registration has decided: the later values are not used',
      ],
      same: false,
    });
  });

  test('two applications in one process have thresholds of their own, and one watchdog', async () => {
    const quick = { path: '/quick', state: 'stuck', timeoutMs: 300 };
    expect(await run('twoApplications')).toEqual({
      registrations: 2,
      dumps: [
        [quick, { path: '/patient', state: 'moving', timeoutMs: 60_000 }],
        [{ path: '/patient', state: 'stuck', timeoutMs: 300 }],
      ],
      afterOne: { watched: true, threads: 1 },
      afterBoth: false,
      problems: [],
    });
  });

  test('two installations of the package know what the other one has entered', async () => {
    expect(await run('twoInstallations')).toEqual({
      copies: true,
      entered: false,
      sameRecord: true,
      sameRequest: true,
      functions: ['answer'],
      at: 'from the other copy',
      waits: ['what never comes'],
      registrations: 2,
      problems: [],
    });
  });

  test('callbacks that throw are said and break nothing', async () => {
    const result = await run('callbacks');
    expect(result).toMatchObject({ status: 200, problems: expect.arrayContaining(['HANGWATCH_ERR_CALLBACK']) });
  });
});
