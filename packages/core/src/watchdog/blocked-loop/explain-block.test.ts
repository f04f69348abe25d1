import type { DumpFrame } from '@hangwatch/protocol';
import { describe, expect, test } from 'vitest';
import { type BlockFacts, type BlockStack, explainBlock } from './explain-block.ts';
import type { KernelReading } from './kernel-thread.ts';

const frame = (name: string, file = '/app/a.js', kind: DumpFrame['kind'] = 'app'): DumpFrame => ({
  function: name,
  file,
  line: 3,
  column: 5,
  async: false,
  kind,
});
const node = (name: string, file: string) => frame(name, file, 'node');
const stackOf = (frames: DumpFrame[], parts: Partial<BlockStack> = {}): BlockStack => ({
  frames,
  source: '',
  late: false,
  heapUsed: 0.2,
  ...parts,
});
const reading = (cpuMs: number, cpuWaitMs: number, state = 'R'): KernelReading => ({
  state,
  cpuMs,
  cpuWaitMs,
  systemCall: undefined,
  wchan: '',
});
const explain = (parts: Partial<BlockFacts>) =>
  explainBlock({
    sinceMs: 1_200,
    first: reading(0, 0),
    last: reading(990, 10),
    betweenMs: 1_000,
    sleep: undefined,
    stack: undefined,
    stackNote: undefined,
    running: { request: 4 },
    lastRan: 3,
    cwd: '/app',
    ...parts,
  });

describe('from a stack', () => {
  const exec = [node('spawnSync', 'node:internal/child_process'), node('execSync', 'node:child_process'), frame('run')];
  const read = [node('readSync', 'node:fs'), frame('run')];
  const hash = [node('pbkdf2Sync', 'node:internal/crypto/pbkdf2'), frame('run')];
  test.each<[string, BlockStack, string, string]>([
    ['a loop', stackOf([frame('spin')], { source: 'i++;' }), 'javascript', 'runs JavaScript in spin (a.js:3:5)'],
    [
      'a regular expression',
      stackOf([frame('match')], { source: "test('a'.repeat(30));" }),
      'regular-expression',
      'runs a regular expression (test) in match (a.js:3:5)',
    ],
    [
      'Atomics.wait',
      stackOf([frame('wait')], { source: 'wait(cells, 0, 0);' }),
      'thread-wait',
      'waits for another thread (Atomics.wait) in wait (a.js:3:5)',
    ],
    ['a sort', stackOf([frame('f')], { source: 'sort();' }), 'native-call', 'is in native code (sort) in f (a.js:3:5)'],
    [
      'execSync, as it returns',
      stackOf(exec, { late: true }),
      'child-process',
      'waits for a child process (execSync) in run (a.js:3:5)',
    ],
    ['readSync', stackOf(read, { late: true }), 'file-system', 'is in a file system call (readSync) in run (a.js:3:5)'],
    ['pbkdf2Sync', stackOf(hash, { late: true }), 'native-call', 'is in native code (pbkdf2Sync) in run (a.js:3:5)'],
    [
      'something that returned',
      stackOf([frame('after')], { late: true, source: 'test(x)' }),
      'native-call',
      'was in native code, and went on in after (a.js:3:5)',
    ],
    [
      'a full heap',
      stackOf([frame('keep')], { heapUsed: 0.97 }),
      'garbage-collection',
      'is busy collecting garbage (its heap is 97% full) in keep (a.js:3:5)',
    ],
  ])('%s', (_, stack, cause, what) => {
    expect(explain({ stack })).toMatchObject({ cause, what, state: 'running', running: 4 });
  });
});

describe('without a stack', () => {
  test('of a thread that computes nobody knows what: a loop looks the same as native code', () => {
    const block = explain({});
    expect(block).toMatchObject({ state: 'running', cause: 'unknown', cpuMs: 990, cpuWaitMs: 10, stack: [] });
    expect(block.what).not.toContain('native');
  });

  test('a thread that sleeps does what the kernel says', () => {
    const sleep = {
      cause: 'child-process',
      what: 'waits for a child process (sh)',
      systemCall: 'epoll_pwait',
    } as const;
    expect(explain({ sleep, last: reading(3, 0, 'S') })).toMatchObject({
      state: 'sleeping',
      cause: 'child-process',
      systemCall: 'epoll_pwait',
      cpuMs: 3,
    });
  });

  test('a thread that gets no CPU is told apart', () => {
    const last = reading(40, 950);
    expect(explain({ last })).toMatchObject({ state: 'waiting-for-cpu', cause: 'cpu-starvation' });
    expect(explain({ last, stack: stackOf([frame('spin')]) }).cause).toBe('cpu-starvation');
  });

  test('a thread that gets some of a CPU is named by what it does, and by that', () => {
    const block = explain({ last: reading(300, 690), stack: stackOf([frame('spin')]) });
    expect(block).toMatchObject({ state: 'waiting-for-cpu', cause: 'javascript' });
    expect(block.what).toContain('with a CPU for 30% of the time');
  });

  test('where the system says nothing, nothing is said', () => {
    expect(explain({ first: undefined, last: undefined })).toEqual({
      sinceMs: 1_200,
      state: 'unknown',
      cause: 'unknown',
      what: 'does not answer',
      running: 4,
      stack: [],
    });
  });
});

describe('a collection of garbage', () => {
  const helped = (cpuMs: number, helperCpuMs: number) => ({ ...reading(cpuMs, 0), helperCpuMs });
  const after = stackOf([frame('after')], { late: true, heapUsed: 0.6 });

  test('that takes longer than native code shows no stack: V8 has its helper threads work', () => {
    const collecting = { first: helped(0, 500), last: helped(700, 2_500) };
    const what = 'is busy collecting garbage (its heap is 60% full), and went on in after (a.js:3:5)';
    expect(explain({ ...collecting, stack: after })).toMatchObject({ cause: 'garbage-collection', what });
    expect(explain(collecting)).toMatchObject({ cause: 'garbage-collection', what: 'is busy collecting garbage' });
    // It is seen as it waits for them.
    const sleep = { cause: 'thread-wait', what: 'waits for another thread', systemCall: 'futex' } as const;
    expect(explain({ ...collecting, sleep }).cause).toBe('garbage-collection');
  });

  test('of a full heap needs less of them; JSON.parse, whose garbage is collected on the way, is none', () => {
    const some = { first: helped(0, 0), last: helped(900, 400) };
    expect(explain({ ...some, stack: { ...after, heapUsed: 0.95 } }).cause).toBe('garbage-collection');
    expect(explain({ ...some, stack: after }).cause).toBe('native-call');
    // In native code, with a heap that is full.
    const none = { first: helped(0, 0), last: helped(900, 5) };
    expect(explain({ ...none, stack: { ...after, heapUsed: 0.95 } }).cause).toBe('native-call');
  });

  test('that helped somebody by the way is not what the thread slept in', () => {
    const sleep = { cause: 'thread-wait', what: 'waits for another thread', systemCall: 'futex' } as const;
    const block = explain({ sleep, first: helped(0, 0), last: helped(900, 300), stack: after });
    expect(block).toMatchObject({ cause: 'native-call', state: 'running' });
    const asleep = { sleep, first: helped(0, 0), last: { ...helped(3, 9), state: 'S' } };
    expect(explain(asleep)).toMatchObject({ cause: 'thread-wait', state: 'sleeping' });
  });
});

describe('whose code it is', () => {
  const stack = stackOf([frame('spin')]);

  test('is what the paused thread says, and nothing else', () => {
    const block = explain({ stack, running: { request: 4 }, lastRan: 3 });
    expect(block).toMatchObject({ running: 4, what: 'runs JavaScript in spin (a.js:3:5)' });
    expect(block.lastRan).toBeUndefined();
  });

  test('is of no request, where it says so: the one that ran last has nothing to do with it', () => {
    const block = explain({ stack, running: { request: undefined }, lastRan: 3 });
    expect(block.what).toBe('runs JavaScript in spin (a.js:3:5) (no request: background work)');
    expect([block.running, block.lastRan]).toEqual([undefined, undefined]);
  });

  test('is not known where it could not be asked: who ran last is told as that', () => {
    const block = explain({ running: undefined, lastRan: 3 });
    expect([block.running, block.lastRan]).toEqual([undefined, 3]);
  });
});

test('what a thread slept in before its stack was taken is said, where it says more', () => {
  const sleep = { cause: 'file-system', what: 'reads from a FIFO', systemCall: 'read' } as const;
  const block = explain({ sleep, stack: stackOf([frame('after')], { late: true }), last: reading(1, 0, 'S') });
  expect(block).toMatchObject({ cause: 'file-system', what: 'reads from a FIFO, and went on in after (a.js:3:5)' });
});
