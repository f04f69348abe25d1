// What a scenario can see of hangwatch from inside, and what every application of the contract does in the same way.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { collectAwaitStacks } from '@hangwatch/async-hooks-helpers';

const shared = () => globalThis[Symbol.for('hangwatch.core/1')];

/** What layers said of themselves: their own name, and where hangwatch has the request. */
export const seen = [];
export const unhandled = [];
export const storage = new AsyncLocalStorage();
/** No request of the suite is to look stuck, unless a test asks for it. */
export const options = { timeout: 30_000, ...JSON.parse(process.env.CONTRACT_OPTIONS ?? '{}') };
let hungAtMs = 0;

export function note(name) {
  seen.push([name, shared()?.tracker.current()?.site?.label ?? null]);
}

function stacksOf(records) {
  const work = collectAwaitStacks(records);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Everything that the suite asks about; `cells` says where in a slot things are. */
export function state(cells) {
  const tracker = shared()?.tracker;
  const records = (tracker?.records ?? []).filter((record) => record !== undefined);
  const stacks = stacksOf(records);
  return {
    enabled: tracker !== undefined,
    entered: tracker?.table.header[cells.kEntered] ?? 0,
    inFlight: tracker?.table.header[cells.kInFlight] ?? 0,
    taken:
      tracker === undefined ? 0 : tracker.table.segments.length * cells.SLOTS_PER_SEGMENT - tracker.table.freeSlots,
    records: records.map((record) => ({
      route: record.route ?? null,
      checkpoint: record.site?.label ?? null,
      place: record.site?.place() ?? null,
      timeoutMs: record.cells[record.base + cells.kTimeoutMs],
      unwatched: (record.cells[record.base + cells.kFlags] & cells.FLAG_UNWATCHED) !== 0,
      own: (stacks.get(record) ?? [])
        .filter(({ own }) => own)
        .map(({ frames }) => frames.map((frame) => frame.function)),
    })),
    seen,
    unhandled,
    hungAtMs,
  };
}

/** Leaves twice, as servers do that emit `close` twice. */
export function leaveTwice() {
  const record = shared()?.tracker.current();
  record?.leave(true);
  record?.leave(true);
}

export const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Pending until the client leaves: nothing of it survives the request. */
export function hang(response) {
  hungAtMs = Date.now();
  return new Promise((resolve) => response.once('close', resolve));
}

export const chunks = () => Readable.from(Array.from({ length: 20 }, (_, i) => Buffer.alloc(10_000, 97 + i)));

export async function digest(stream) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The application's own context, through awaits, timers and streams. */
export async function ownContext(name) {
  return storage.run(name, async () => {
    const before = storage.getStore();
    await tick();
    await new Promise((resolve) => setTimeout(resolve, 1));
    return { before, after: storage.getStore(), outside: storage.exit(() => storage.getStore()) ?? null };
  });
}

/** A rejection that nobody handles: as an uncaught one, once. */
export async function failLater() {
  await tick();
  throw new Error('nobody handles this');
}

/** Returned to the framework, and handled here: no unhandled rejection. */
export function failHandled() {
  const promise = failLater();
  promise.catch(() => undefined);
  return promise;
}

/** Echoes once, then ends. */
export function upgrade(_request, socket) {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  socket.once('data', (data) => socket.end(data));
  socket.on('error', () => undefined);
}

const elsewhere = new AsyncResource('pool');

/** Calls back from a context of long ago, as connection pools do. */
export function outside(fn) {
  setImmediate(() => elsewhere.runInAsyncScope(() => fn()));
}
