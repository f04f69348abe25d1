import { readFile } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { RequestRecord } from '../request-record.ts';
import { ActiveResources, pendingResources } from './pending-resources.ts';
import { RequestResources } from './request-resources.ts';
import { ResourceHook } from './resource-hook.ts';

const record = { resources: new RequestResources() } as unknown as RequestRecord;
let current: RequestRecord | undefined;
const hook = new ResourceHook(() => current);
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
  record.resources = new RequestResources();
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
  const resources = new RequestResources();
  for (let i = 0; i < 1_000; i++) resources.note(String(i), {}, undefined);
  const types = [...resources.all()].map(({ type }) => type);
  expect(types).toEqual(Array.from({ length: 128 }, (_, i) => String(872 + i)));
});

test('without the level nothing is said', () => {
  expect(pendingResources({ resources: undefined } as RequestRecord, new ActiveResources())).toBeUndefined();
});
