// Ways to block an event loop. Lines that a test checks are marked with /*@name*/.
import { execSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { openSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { hashSync } from 'bcrypt';

/** A number that takes long to read, and next to no memory. */
const SLOW_NUMBER = '2.2250738585072011e-308';
const FEW_MS = 25;

/** Work of a given length: how much of it that is differs from machine to machine. */
class Calibrated {
  #make;
  #run;
  #input;

  constructor(make, run) {
    this.#make = make;
    this.#run = run;
  }

  /** Finds out how much it takes, in steps too short to block anybody. */
  async prepare(blockMs) {
    for (let size = 1; ; size *= 2) {
      const input = this.#make(size);
      const beganMs = performance.now();
      this.#run(input);
      const tookMs = performance.now() - beganMs;
      if (tookMs >= FEW_MS) {
        this.#input = this.#make(Math.ceil((size * blockMs) / tookMs));
        return;
      }
      await new Promise(setImmediate);
    }
  }

  run() {
    this.#run(this.#input);
  }
}

const noise = randomBytes(1 << 20);
const calibrated = {
  '/json': new Calibrated((size) => `[${`${SLOW_NUMBER},`.repeat(1_000 * size)}1]`, parseMuch),
  '/pbkdf2': new Calibrated((size) => 1_000 * size, hashMuch),
  // Each further round doubles the time.
  '/addon': new Calibrated((size) => 4 + Math.ceil(Math.log2(size)), inAddon),
  '/gzip': new Calibrated((size) => Buffer.alloc(100_000 * size, noise), packMuch),
};

/** What a thread does next after native code of which no frame is left: V8 stops it there. */
const count = (found) => found.length;

function parseMuch(text) {
  /*@json*/ return count(JSON.parse(text));
}
function hashMuch(rounds) {
  /*@pbkdf2*/ pbkdf2Sync('password', 'salt', rounds, 64, 'sha512');
}
function packMuch(buffer) {
  /*@gzip*/ gzipSync(buffer, { level: 9 });
}

function endlessLoop(blockMs) {
  const endMs = performance.now() + blockMs;
  let turns = 0;
  while (performance.now() < endMs) /*@loop*/ turns += 1;
  return turns;
}

/** Each further letter doubles the time, and the first are the slowest: V8 compiles the expression meanwhile. */
function evilExpression(blockMs) {
  for (let letters = 20; ; letters++) {
    const beganMs = performance.now();
    /*@regex*/ /^(a+)+$/.test(`${'a'.repeat(letters)}b`);
    if (performance.now() - beganMs > blockMs / 2) return;
  }
}

/** In code that no inspector reaches. */
function inAddon(rounds) {
  /*@addon*/ return count(hashSync('password', rounds));
}

/** A heap of which a collection takes its time, as one that is nearly full does again and again. */
let heap = [];
async function fillHeap() {
  setFlagsFromString('--expose-gc');
  globalThis.collect = runInNewContext('gc');
  while (heap.length < 1_000_000) {
    for (let i = 0; i < 20_000; i++) heap.push({ a: { b: [1, 2, 3] }, i });
    await new Promise(setImmediate);
  }
}
function collectMuch(blockMs) {
  const endMs = performance.now() + blockMs;
  while (performance.now() < endMs) /*@gc*/ globalThis.collect();
  heap = [];
}

function shellOut(blockMs) {
  /*@exec*/ execSync(`sleep ${blockMs / 1_000}`);
}
function readFifo(_blockMs, fifo) {
  const descriptor = openSync(fifo, 'r+');
  const buffer = Buffer.alloc(10);
  /*@fifo*/ return count([readSync(descriptor, buffer)]);
}
function waitForNobody(blockMs) {
  /*@atomics*/ Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
}
function throwAndCatch(blockMs) {
  const endMs = performance.now() + blockMs;
  let caught = 0;
  while (performance.now() < endMs) {
    try {
      /*@throws*/ throw new Error('caught at once');
    } catch {
      caught += 1;
    }
  }
  return caught;
}

/** Work of no request, which a timer of the process does when it is due. */
const background = { dueMs: 0, turns: 0 };
setInterval(() => {
  if (background.dueMs === 0) return;
  const endMs = performance.now() + background.dueMs;
  background.dueMs = 0;
  while (performance.now() < endMs) /*@background*/ background.turns += 1;
}, 20).unref();

/** By path, called with `(blockMs, fifo)`. */
export const work = {
  '/loop': endlessLoop,
  '/regex': evilExpression,
  '/exec': shellOut,
  '/long-exec': (blockMs) => shellOut(3 * blockMs),
  '/fifo': readFifo,
  '/gc': collectMuch,
  '/atomics': waitForNobody,
  '/throws': throwAndCatch,
  '/due': (blockMs) => {
    background.dueMs = blockMs;
  },
  '/ok': () => undefined,
  // The debugger that is attached, if any, decides how long.
  '/breakpoint': () => {
    // biome-ignore lint/suspicious/noDebugger: that is what is tested
    debugger;
  },
  ...Object.fromEntries(Object.entries(calibrated).map(([path, each]) => [path, () => each.run()])),
};

/** What has to be done before a block of this kind, and is not to block by itself. */
export const prepare = (path, blockMs) => (path === '/gc' ? fillHeap() : calibrated[path]?.prepare(blockMs));

/** The lines of this file that are marked. */
export function marks(file = fileURLToPath(import.meta.url)) {
  const found = {};
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      for (const [, name] of line.matchAll(/\/\*@([\w-]+)\*\//g)) found[name] = index + 1;
    });
  return found;
}
