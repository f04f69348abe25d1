import type { Dump, DumpBlock } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';

const block: DumpBlock = {
  sinceMs: 1_240,
  state: 'running',
  cause: 'regular-expression',
  what: 'runs a regular expression (test) in slug (src/slug.ts:4:9)',
  cpuMs: 1_100,
  cpuWaitMs: 30,
  heapUsed: 0.214,
  running: 57,
  stack: [
    { function: 'slug', file: '/srv/orders/src/slug.ts', line: 4, column: 9, async: false, kind: 'app' },
    {
      function: 'process.processTicksAndRejections',
      file: 'node:internal/process/task_queues',
      line: 95,
      column: 5,
      async: false,
      kind: 'node',
    },
  ],
};
const blocked = (parts: Partial<DumpBlock> = {}, dump: Partial<Dump> = {}) =>
  sampleDump({
    kind: 'loop-block',
    verdict: { evidence: 'loop-blocked', summary: 'the event loop has been blocked for 1.2 s' },
    block: { ...block, ...parts },
    ...dump,
  });

test('a blocked event loop: what it does, where, and with how much CPU', () => {
  const text = formatDump(blocked());
  expect(text).toContain('BLOCKED (event loop): the event loop has been blocked for 1.2 s');
  expect(text).toContain('the event loop  blocked for 1.2 s  (running, 1.1 s of CPU, heap 21% full)');
  expect(text).toContain('  runs a regular expression (test) in slug (src/slug.ts:4:9)');
  expect(text).toContain('    at slug (src/slug.ts:4:9)');
});

test('one that sleeps: in which system call, and why there is no stack', () => {
  const text = formatDump(
    blocked({
      state: 'sleeping',
      systemCall: 'epoll_pwait',
      cpuMs: 3,
      heapUsed: undefined,
      stack: [],
      stackNote: 'no stack yet',
    }),
  );
  expect(text).toContain('(sleeping in epoll_pwait, 3 ms of CPU)');
  expect(text).toContain('  no stack yet');
});

test('its end is one line', () => {
  const text = formatDump(blocked({}, { kind: 'recovered' }));
  expect(text).toContain('RECOVERED');
  expect(text).not.toContain('\n');
});

test('the thread, where it is not the main one, and the pool, where it is full', () => {
  const { process } = sampleDump();
  const text = formatDump(
    blocked(
      {},
      {
        process: { ...process, threadId: 3, clusterWorker: 2 },
        threadPool: {
          size: 4,
          pending: 9,
          threads: [{ state: 'sleeping', what: 'reads from a FIFO', systemCall: 'read' }],
        },
      },
    ),
  );
  expect(text).toContain('pid 4711 thread 3 (cluster worker 2) on web-1');
  expect(text).toContain('thread pool: 9 pieces of work for 4 threads: reads from a FIFO (read)');
});

test('nothing in it can write to the terminal', () => {
  const text = formatDump(
    blocked({ what: '\u001b[2Jx', stackNote: '\u0007y', systemCall: '\u001bz', state: 'sleeping' }),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  expect(text).not.toMatch(/[\u0007\u001b]/);
});

test('a request that ran last is told as that, and not as what runs', () => {
  const text = formatDump(blocked({ running: undefined, lastRan: 57 }));
  expect(text).toContain('last ran: request #57; what runs now may be something else');
  expect(formatDump(blocked())).not.toContain('last ran');
});
