#!/usr/bin/env node
// Throughput and processor time with everything on, against none, against AsyncLocalStorage alone, and against everything but the watch over
// the event loop: side by side in one run, the four servers of a framework measured in turn in every round, so that whatever else the machine does falls on all of them. Each handler awaits
// 20 times. Throughput is taken under all the load that the client can make; processor time, that of the server's whole process with the
// watchdog, under a load that none of the servers is busy with: at the limit it is mostly the kernel's waking of a client that waits.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';

const HELP = `usage: npm run bench -- [options]

Measures requests per second, and at a steady rate processor time a request, of Fastify, Express, Koa and node:http without
anything, with an AsyncLocalStorage.run alone, with hangwatch, and with hangwatch and \`blockedLoop: false\`;
prints medians, and medians of the per-round ratios.

  --rounds N        rounds of each server (default 9)
  --seconds N       seconds of each of a round's two loads (default 2)
  --rate N          requests per second for the processor time (default 2000)
  --connections N   keep-alive connections (default 50)
  --only LIST       frameworks, comma-separated (default fastify,express,koa,node:http)
  --node PATH       Node binary that runs the servers (default this one)
  --json            JSON on stdout
  --help            this text`;

const VARIANTS = ['none', 'als', 'hangwatch', 'unblocked'];
const FRAMEWORKS = ['fastify', 'express', 'koa', 'node:http'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
    rate: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '50' },
    only: { type: 'string', default: FRAMEWORKS.join(',') },
    node: { type: 'string', default: process.execPath },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const number = (name) => {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`bench: --${name} must be a positive number, got ${JSON.stringify(values[name])}`);
  process.exit(2);
};
const rounds = number('rounds');
const duration = number('seconds');
const rate = number('rate');
const connections = number('connections');
const frameworks = values.only.split(',');
const unknown = frameworks.filter((name) => !FRAMEWORKS.includes(name));
if (unknown.length > 0) {
  console.error(`bench: --only knows ${FRAMEWORKS.join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

async function start(framework, variant) {
  const child = spawn(
    values.node,
    [fileURLToPath(new URL('throughput-server.mjs', import.meta.url)), framework, variant],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextNumber = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${framework}, ${variant}: the server ended`);
    return Number(value);
  };
  const port = await nextNumber();
  const cpuMicros = () => {
    child.stdin.write('cpu\n');
    return nextNumber();
  };
  const load = async (options) => {
    const before = await cpuMicros();
    const result = await autocannon({ url: `http://127.0.0.1:${port}`, connections, ...options });
    const usedMicros = (await cpuMicros()) - before;
    if (result.non2xx > 0 || result.errors > 0)
      throw new Error(`${framework}, ${variant}: ${result.non2xx} bad answers, ${result.errors} errors`);
    return { perSecond: result.requests.average, cpuMicros: usedMicros / result['2xx'] };
  };
  return {
    async measure(seconds) {
      const { perSecond } = await load({ duration: seconds });
      const { cpuMicros } = await load({ duration: seconds, overallRate: rate });
      return { perSecond, cpuMicros };
    },
    stop: () => child.stdin.end(),
  };
}

const table = [];
for (const framework of frameworks) {
  const servers = [];
  for (const variant of VARIANTS) servers.push(await start(framework, variant));
  try {
    for (const server of servers) await server.measure(1);
    const samples = VARIANTS.map(() => []);
    for (let round = 0; round < rounds; round++) {
      progress(`${framework}: round ${round + 1} of ${rounds}`);
      // Another order in each round: whoever comes first finds the machine cooler.
      for (let i = 0; i < VARIANTS.length; i++) {
        const at = (i + round) % VARIANTS.length;
        samples[at].push(await servers[at].measure(duration));
      }
    }
    const of = (key) => {
      const [none, als, hangwatch, unblocked] = samples.map((list) => list.map((sample) => sample[key]));
      const ratio = (a, b) => median(a.map((value, i) => value / b[i]));
      return {
        none: median(none),
        als: median(als),
        hangwatch: median(hangwatch),
        unblocked: median(unblocked),
        alsToNone: ratio(als, none),
        hangwatchToNone: ratio(hangwatch, none),
        hangwatchToAls: ratio(hangwatch, als),
        hangwatchToUnblocked: ratio(hangwatch, unblocked),
      };
    };
    table.push({ framework, requestsPerSecond: of('perSecond'), cpuMicrosPerRequest: of('cpuMicros') });
  } finally {
    for (const server of servers) server.stop();
  }
}
progress('');

const version = await new Promise((resolve) =>
  spawn(values.node, ['--version']).stdout.once('data', (text) => resolve(String(text).trim())),
);
if (values.json) {
  console.log(JSON.stringify({ node: version, rounds, seconds: duration, rate, connections, table }, undefined, 2));
} else {
  console.log(
    `Node ${version}, ${connections} connections, ${rounds} rounds of ${duration} s at the limit and ${duration} s at ${rate} requests/s, 20 awaits a request; medians\n`,
  );
  for (const [title, key, digits] of [
    ['requests/s', 'requestsPerSecond', 0],
    ['µs of processor time a request, at a steady rate', 'cpuMicrosPerRequest', 1],
  ]) {
    console.log(
      `| ${title} | none | AsyncLocalStorage | hangwatch | hangwatch / none | hangwatch / AsyncLocalStorage | with \`blockedLoop: false\` | hangwatch / that |`,
    );
    console.log('|---|---|---|---|---|---|---|---|');
    for (const row of table) {
      const { none, als, hangwatch, unblocked, alsToNone, hangwatchToNone, hangwatchToAls, hangwatchToUnblocked } =
        row[key];
      const numbers = [none, als, hangwatch].map((value) => value.toFixed(digits));
      const ratios = [hangwatchToNone, hangwatchToAls].map((value) => value.toFixed(2));
      numbers[1] += ` (${alsToNone.toFixed(2)})`;
      const blocks = [unblocked.toFixed(digits), hangwatchToUnblocked.toFixed(2)];
      console.log(`| ${[row.framework, ...numbers, ...ratios, ...blocks].join(' | ')} |`);
    }
    console.log();
  }
}
