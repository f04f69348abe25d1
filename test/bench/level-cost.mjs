// Processor time a request of a server on Express 5: without hangwatch, at its level `basic`, and at its level `resources`.
// usage: node test/bench/level-cost.mjs [--rounds=7] [--requests=3000] [--node=PATH] [--json]
// Two kinds of handlers: callbacks alone (two file system calls, an immediate, a timer), and 20 awaits. Side by side: in each round
// every server gets the same requests, in another order; medians, and medians of the per-round ratios.
import { spawn } from 'node:child_process';
import { stat } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const VARIANTS = ['none', 'basic', 'resources'];
const leaf = async (i) => i + 1;
const HANDLERS = {
  callbacks(_request, response) {
    stat('/', () => setImmediate(() => stat('/', () => setTimeout(() => response.end('ok'), 1))));
  },
  async awaits(_request, response) {
    let x = 0;
    for (let i = 0; i < 20; i++) x = await leaf(x);
    response.end(String(x));
  },
};

async function serve(variant) {
  const { default: express } = await import('express');
  const { hangwatch } = await import('@hangwatch/express');
  const app = express();
  const options = { enabled: true, collector: 'http://127.0.0.1:9', onInternalError: () => undefined };
  if (variant !== 'none') app.use(hangwatch({ ...options, level: variant }));
  for (const [name, handler] of Object.entries(HANDLERS)) app.get(`/${name}`, handler);
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
  // Each line that comes is answered with the processor time used so far, in microseconds.
  createInterface({ input: process.stdin })
    .on('line', () => {
      const { user, system } = process.cpuUsage();
      console.log(user + system);
    })
    .on('close', () => process.exit(0));
}

async function start(node, variant) {
  const child = spawn(node, [fileURLToPath(import.meta.url), '--serve', variant], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const line = () => new Promise((resolve) => lines.once('line', resolve));
  const port = Number(await line());
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const cpuUs = () => {
    const answer = line();
    child.stdin.write('\n');
    return answer.then(Number);
  };
  const get = (path) =>
    new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port, path, agent }, (response) => response.resume().on('end', resolve))
        .on('error', reject);
    });
  return {
    /** Microseconds a request. */
    async measure(name, requests) {
      const before = await cpuUs();
      let left = requests;
      const client = async () => {
        while (left-- > 0) await get(`/${name}`);
      };
      await Promise.all(Array.from({ length: 20 }, client));
      return ((await cpuUs()) - before) / requests;
    },
    stop: () => child.stdin.end(),
  };
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

const args = process.argv.slice(2);
const given = (name, otherwise) =>
  args.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
if (args[0] === '--serve') await serve(args[1]);
else {
  const rounds = Number(given('rounds', 7));
  const requests = Number(given('requests', 3_000));
  const node = given('node', process.execPath);
  const servers = await Promise.all(VARIANTS.map((variant) => start(node, variant)));
  const rows = [];
  for (const name of Object.keys(HANDLERS)) {
    for (const server of servers) await server.measure(name, requests);
    const samples = VARIANTS.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < VARIANTS.length; i++) {
        const at = (i + round) % VARIANTS.length;
        samples[at].push(await servers[at].measure(name, requests));
      }
    }
    const [none, basic, resources] = samples;
    rows.push({
      handler: name,
      microseconds: { none: median(none), basic: median(basic), resources: median(resources) },
      basicToNone: median(basic.map((value, i) => value / none[i])),
      resourcesToBasic: median(resources.map((value, i) => value / basic[i])),
    });
  }
  for (const server of servers) server.stop();
  if (args.includes('--json')) console.log(JSON.stringify({ node, rounds, requests, rows }, undefined, 2));
  else {
    console.log('| handler | none, us | basic | resources | basic / none | resources / basic |');
    console.log('|---|---|---|---|---|---|');
    for (const { handler, microseconds: us, basicToNone, resourcesToBasic } of rows) {
      const cells = [us.none, us.basic, us.resources].map((value) => Math.round(value));
      console.log(`| ${[handler, ...cells, basicToNone.toFixed(2), resourcesToBasic.toFixed(2)].join(' | ')} |`);
    }
  }
}
