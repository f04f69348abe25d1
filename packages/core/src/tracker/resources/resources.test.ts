import { lookup } from 'node:dns';
import { type FSWatcher, readFile, stat, watch } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../request-record.ts';
import { ActiveResources, pendingResources } from './pending-resources.ts';
import { RequestResources } from './request-resources.ts';
import { ResourceHook } from './resource-hook.ts';

const record = { resources: new RequestResources(true) } as unknown as RequestRecord;
let current: RequestRecord | undefined;
const hook = new ResourceHook(() => current);
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
  record.resources = new RequestResources(true);
  current = undefined;
});

/** Runs `fn` as the request, with the hook on. */
function asRequest<T>(fn: () => T): T {
  current = record;
  hook.arm();
  try {
    return fn();
  } finally {
    current = undefined;
    hook.disarm();
  }
}
const pending = () => pendingResources(record, new ActiveResources());
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

test('what is pending is told with its type, its number and its place; what is over is not', async () => {
  asRequest(function handler() {
    for (let i = 0; i < 2; i++) cleanUp.push(timer());
    clearTimeout(setTimeout(() => undefined, 60_000));
    setTimeout(() => undefined, 1);
    setImmediate(() => undefined);
    readFile('/dev/null', () => undefined);
  });
  await pause();
  // This very file is hangwatch's own: the place is that of whoever called it.
  expect(pending()).toMatchObject([{ type: 'Timeout', count: 2, file: expect.any(String), line: expect.any(Number) }]);
});

function timer(): () => void {
  const handle = setTimeout(() => undefined, 60_000);
  return () => clearTimeout(handle);
}

test('a handle is pending as long as it is open', async () => {
  const server = asRequest(() => createServer().listen(join(tmpdir(), `hangwatch-${process.pid}.sock`)));
  await new Promise((resolve) => server.once('listening', resolve));
  expect(pending()).toMatchObject([{ type: 'PIPESERVERWRAP' }]);
  await new Promise((resolve) => server.close(resolve));
  expect(pending()).toEqual([]);
});

test('a name is pending until it is resolved', async () => {
  const resolved = asRequest(() => new Promise((resolve) => lookup('localhost', resolve)));
  expect(pending()).toMatchObject([{ type: 'GETADDRINFOREQWRAP' }]);
  expect(await resolved).toBeNull();
  // Where the end is told, that comes after the callback.
  await pause();
  expect(pending()).toEqual([]);
});

test('nothing is noted outside a request, nor once no request wants it', () => {
  hook.arm();
  cleanUp.push(timer());
  hook.disarm();
  current = record;
  cleanUp.push(timer());
  expect(pending()).toEqual([]);
});

test('two requests that want it: it goes with the second', () => {
  hook.arm();
  asRequest(() => undefined);
  current = record;
  cleanUp.push(timer());
  hook.disarm();
  expect(pending()).toHaveLength(1);
});

test('of many the newest are kept', () => {
  const resources = new RequestResources(true);
  for (let i = 0; i < 1_000; i++) resources.note(String(i), {}, undefined);
  const types = [...resources.all()].map(({ type }) => type);
  expect(types).toEqual(Array.from({ length: 128 }, (_, i) => String(872 + i)));
});

test('without the level nothing is said', () => {
  expect(pendingResources({ resources: undefined } as RequestRecord, new ActiveResources())).toBeUndefined();
});

describe('what may still call back, for proofs', () => {
  /** What a request has made that may call back, noted without a place. */
  function followed(fn: () => void): () => string | undefined {
    const one = { resources: undefined } as unknown as RequestRecord;
    hook.follow();
    current = one;
    fn();
    current = undefined;
    cleanUp.push(() => hook.stop());
    return () => {
      expect(pendingResources(one, new ActiveResources())).toBeUndefined();
      return one.resources?.callingBack();
    };
  }

  test('timers, also those that are unref’d, until they are over', async () => {
    let handle: NodeJS.Timeout | undefined;
    const calling = followed(() => {
      handle = setInterval(() => undefined, 60_000).unref();
      setTimeout(() => undefined, 1);
    });
    expect(calling()).toBe('Timeout');
    clearInterval(handle);
    await pause();
    expect(calling()).toBeUndefined();
  });

  test('handles, also those that are unref’d, until they are closed', async () => {
    let watcher: FSWatcher | undefined;
    const calling = followed(() => {
      watcher = watch(tmpdir(), { persistent: false });
    });
    expect(calling()).toBe('FSEVENTWRAP');
    watcher?.close();
    await pause();
    expect(calling()).toBeUndefined();
  });

  test('file system calls with callbacks, until they are done; those with promises never', async () => {
    const calling = followed(() => {
      stat('/dev/null', () => undefined);
      void access('/dev/null');
    });
    expect(calling()).toBe('FSREQCALLBACK');
    await pause();
    expect(calling()).toBeUndefined();
    expect(followed(() => void access('/dev/null'))()).toBeUndefined();
  });

  test('more than are kept', () => {
    const resources = new RequestResources(false);
    for (let i = 0; i < 300; i++) resources.note('X', {}, undefined).over = i >= 100;
    expect(resources.callingBack()).toBe('one of many');
    const writes = new RequestResources(false);
    for (let i = 0; i < 40; i++) writes.noteWrite({}).over = i < 39;
    expect(writes.callingBack()).toBe('WRITEWRAP');
  });
});
