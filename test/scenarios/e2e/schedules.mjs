// Random tasks over random locks and pools of real libraries. Once nothing moves any more, whoever has not finished and does not sleep can never go
// on: that is compared with what is called proven. Prints one line of JSON.
// usage: node schedules.mjs BATCHES SEED
import { setTimeout as delay } from 'node:timers/promises';
import { currentRequest, dump, watchTask } from '@hangwatch/core';
import { instrument } from '@hangwatch/locks';
import { Mutex, Semaphore } from 'async-mutex';
import genericPool from 'generic-pool';

const SCHEDULES_A_BATCH = 50;
const TURNS = 60;
const batches = Number(process.argv[2]);
let state = Number(process.argv[3]) >>> 0;

/** https://en.wikipedia.org/wiki/Xorshift */
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % below;
}

const turn = () => new Promise(setImmediate);

/** A lock or pool: how much of it there is, and how to take one of it. */
const kinds = [
  (name) => {
    const mutex = instrument(new Mutex(), { name });
    return { capacity: 1, acquire: () => mutex.acquire(), cancel: () => mutex.cancel() };
  },
  (name) => {
    const capacity = 1 + random(2);
    const semaphore = instrument(new Semaphore(capacity), { name });
    return { capacity, acquire: async () => (await semaphore.acquire())[1], cancel: () => semaphore.cancel() };
  },
  (name) => {
    const capacity = 1 + random(2);
    const factory = { create: async () => ({}), destroy: async () => undefined };
    const pool = instrument(genericPool.createPool(factory, { max: capacity }), { name });
    const loans = new Set();
    const release = (loan) => {
      if (loans.delete(loan)) pool.release(loan);
    };
    return {
      capacity,
      async acquire() {
        const loan = await pool.acquire();
        loans.add(loan);
        return () => release(loan);
      },
      cancel: () => loans.forEach(release),
      isEmpty: () => pool.pending === 0,
    };
  },
];

class Schedule {
  tasks = [];
  things = [];
  #ended;

  constructor(number) {
    this.number = number;
    this.things = Array.from({ length: 2 + random(2) }, (_, i) => kinds[random(kinds.length)](`${number}.${i}`));
    const sleeps = random(3) === 0;
    this.tasks = Array.from({ length: 2 + random(3) }, (_, i) => ({
      name: `task ${number}.${i}`,
      id: undefined,
      steps: steps(this.things.length, sleeps && random(2) === 0),
      holds: new Map(),
      waitsFor: undefined,
      sleeps: false,
      finished: false,
    }));
  }

  begin(signal) {
    const running = this.tasks.map((task) =>
      watchTask(task.name, async () => {
        task.id = currentRequest().id;
        await perform(task, this.things, signal);
        task.finished = true;
      }).catch(() => undefined),
    );
    this.#ended = Promise.all(running);
  }

  /** Those that never go on, seen by trying: who does not sleep, and waits for what only such hold. */
  deadlocked() {
    const stuck = new Set(this.tasks.filter((task) => !task.finished && !task.sleeps));
    for (let before = -1; before !== stuck.size; ) {
      before = stuck.size;
      for (const task of stuck) {
        const thing = this.things[task.waitsFor];
        let kept = 0;
        for (const other of stuck) kept += other.holds.get(task.waitsFor) ?? 0;
        if (thing === undefined || kept < thing.capacity) stuck.delete(task);
      }
    }
    return stuck;
  }

  async end() {
    let over = false;
    void this.#ended.then(() => {
      over = true;
    });
    while (!over) {
      for (const thing of this.things) thing.cancel();
      await turn();
    }
  }
}

function steps(things, sleeps) {
  const list = [];
  for (let i = 1 + random(3); i > 0; i--) {
    list.push({ do: 'turns', count: random(4) }, { do: 'acquire', thing: random(things) });
    if (random(4) === 0) list.push({ do: 'release' });
  }
  if (sleeps) list.splice(random(list.length), 0, { do: ['sleep', 'sleep beside', 'leave a timer'][random(3)] });
  return list;
}

async function perform(task, things, signal) {
  const releases = [];
  const release = () => {
    const [thing, letGo] = releases.pop() ?? [];
    if (letGo === undefined) return;
    task.holds.set(thing, task.holds.get(thing) - 1);
    letGo();
  };
  try {
    for (const step of task.steps) {
      if (step.do === 'turns') for (let i = 0; i < step.count; i++) await turn();
      else if (step.do === 'release') release();
      else if (step.do === 'sleep') {
        task.sleeps = true;
        await delay(1e8, undefined, { signal });
      } else if (step.do === 'sleep beside') {
        // It goes on to wait, and something else that it has begun may still do anything.
        task.sleeps = true;
        delay(1e8, undefined, { signal }).catch(() => undefined);
      } else if (step.do === 'leave a timer') {
        // No promise: what it holds may be released all the same.
        task.sleeps = true;
        const timer = setTimeout(release, 1e8);
        signal.addEventListener('abort', () => clearTimeout(timer));
      } else {
        task.waitsFor = step.thing;
        const letGo = await things[step.thing].acquire();
        task.waitsFor = undefined;
        task.holds.set(step.thing, (task.holds.get(step.thing) ?? 0) + 1);
        releases.push([step.thing, letGo]);
      }
    }
  } finally {
    while (releases.length > 0) release();
  }
}

/** Numbers of the tasks that are part of a deadlock, as a dump has it. */
async function provenTasks() {
  const { waitFor } = await dump();
  return new Set((waitFor?.cycles ?? []).flat().map((index) => waitFor.edges[index].request));
}

const counts = { schedules: 0, deadlocks: 0, withSleepers: 0, falseProofs: [], missed: [] };
for (let batch = 0; batch < batches; batch++) {
  const schedules = Array.from({ length: SCHEDULES_A_BATCH }, (_, i) => new Schedule(batch * SCHEDULES_A_BATCH + i));
  const wake = new AbortController();
  for (const schedule of schedules) schedule.begin(wake.signal);
  for (let i = 0; i < TURNS; i++) await turn();
  const proven = await provenTasks();
  // A busy machine may have been asked in the middle of something: what is proven stays so, and what is not may still be.
  const isMissed = (schedule) => schedule.deadlocked().size > 0 && !schedule.tasks.some(({ id }) => proven.has(id));
  for (let i = 0; i < 3 && schedules.some(isMissed); i++) for (const id of await provenTasks()) proven.add(id);
  for (const schedule of schedules) {
    const truth = schedule.deadlocked();
    counts.schedules += 1;
    if (truth.size > 0) counts.deadlocks += 1;
    if (schedule.tasks.some(({ sleeps }) => sleeps)) counts.withSleepers += 1;
    if (schedule.tasks.some((task) => proven.has(task.id) && !truth.has(task)))
      counts.falseProofs.push(schedule.number);
    if (isMissed(schedule)) counts.missed.push(schedule.number);
  }
  wake.abort();
  for (const schedule of schedules) await schedule.end();
}
console.log(JSON.stringify(counts));
process.exit();
