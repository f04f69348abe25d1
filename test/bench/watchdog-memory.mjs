#!/usr/bin/env node
// What the watchdog takes of memory: a process with it against the same without.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CollectorStub } from '@hangwatch/test-utils';

const HELP = `usage: node test/bench/watchdog-memory.mjs [options]

Starts a server with and without hangwatch, in turns, and prints how much more memory the one with it takes (resident set, of which the
garbage collector has been asked to give back what it can), medians in MB (1,000,000 bytes): once it is ready, after a report, and after a
blocked event loop was reported with its stack; and what the processes take that stand beside it then. Linux only.

  --rounds N    processes of each kind (default 5)
  --node PATH   Node binary of the server (default this one)
  --json        JSON on stdout
  --help        this text`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    node: { type: 'string', default: process.execPath },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`watchdog-memory: --rounds must be a positive whole number, got ${JSON.stringify(values.rounds)}`);
  process.exit(2);
}

const SERVER = fileURLToPath(new URL('watchdog-memory-server.mjs', import.meta.url));
/** The watchdog loads its HTTP client a second after it has started. */
const READY_MS = 3_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resident set of a process, and of those that it has started, in MB. */
function residentMb(pid) {
  const own = (id) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) * 1.024e-3;
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return { own: own(pid), beside: children.reduce((sum, id) => sum + own(id), 0) };
}

function get(port, path) {
  return new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().on('end', resolve))
      .on('error', resolve);
  });
}

async function measure(variant) {
  const collector = await CollectorStub.start();
  const child = spawn(values.node, ['--expose-gc', SERVER, variant], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, HANGWATCH_COLLECTOR: collector.url },
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const settled = async () => {
      child.stdin.write('collect\n');
      await lines.next();
      return residentMb(child.pid);
    };
    const withIt = variant === 'hangwatch';
    await get(port, '/ok');
    await sleep(READY_MS);
    const ready = await settled();
    void get(port, '/hang');
    if (withIt) await collector.next(({ kind }) => kind === 'hang');
    await sleep(READY_MS);
    const reported = await settled();
    await get(port, '/block');
    if (withIt) await collector.next(({ kind, block }) => kind === 'recovered' && block !== undefined);
    await sleep(READY_MS);
    return { ready, reported, blocked: await settled() };
  } finally {
    child.kill('SIGKILL');
    await collector.close();
  }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const all = { hangwatch: [], none: [] };
for (let round = 0; round < rounds; round++)
  for (const variant of Object.keys(all)) all[variant].push(await measure(variant));

const STAGES = {
  ready: 'ready, nothing to report',
  reported: 'after the report of a hang',
  blocked: 'after that of a blocked event loop',
};
const figures = Object.fromEntries(
  Object.keys(STAGES).map((stage) => {
    const of = (variant, part) => median(all[variant].map((each) => each[stage][part]));
    const without = of('none', 'own');
    return [stage, { without, more: of('hangwatch', 'own') - without, beside: of('hangwatch', 'beside') }];
  }),
);
if (values.json) console.log(JSON.stringify(figures, undefined, 2));
else {
  console.log(`resident set in MB, median of ${rounds}, ${values.node}`);
  for (const [stage, { without, more, beside }] of Object.entries(figures)) {
    console.log(
      `  ${STAGES[stage].padEnd(36)} ${without.toFixed(0).padStart(4)} without, ${more.toFixed(0).padStart(3)} more with hangwatch, ${beside.toFixed(0).padStart(3)} in processes beside it`,
    );
  }
}
