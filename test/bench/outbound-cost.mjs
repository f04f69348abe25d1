// What hearing of outbound work costs: requests that make no call, and calls of several kinds, with hangwatch's subscriptions and without,
// all else being on in both. Processor time of the process, in microseconds: it says the same on a busy machine as on a quiet one.
// usage: node test/bench/outbound-cost.mjs [--rounds=9] [--node=PATH]
// The two ways are measured in turn in every round, each in a process of its own; the peer is a process too.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import diagnosticsChannel from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const option = (name, fallback) =>
  process.argv.find((x) => x.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const WAYS = ['without', 'with'];

/** Each runs in a request's context and returns how often it did what is measured. */
async function works({ httpPort, redisPort, dnsPort }) {
  const agent = new http.Agent({ keepAlive: true });
  const { default: Redis } = await import('ioredis');
  const redis = new Redis({ port: redisPort, host: '127.0.0.1', enableReadyCheck: false, lazyConnect: true });
  const { promises } = await import('node:dns');
  const resolver = new promises.Resolver();
  resolver.setServers([`127.0.0.1:${dnsPort}`]);
  const url = `http://127.0.0.1:${httpPort}/v1/items/4711?page=2`;
  const times = (n, work) => async () => {
    for (let i = 0; i < n; i++) await work();
    return n;
  };
  return {
    'no call, 12 awaits': times(20_000, async () => {
      for (let i = 0; i < 12; i++) await null;
    }),
    // No network in it, so little noise: what hangwatch does for a call.
    "a call's channels": times(20_000, publishCall()),
    fetch: times(400, async () => (await fetch(url)).text()),
    'http.get': times(600, async () => {
      const [response] = await once(http.get(url, { agent }), 'response');
      response.resume();
      await once(response, 'end');
    }),
    'net.connect': times(400, async () => {
      const socket = net.connect(httpPort, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    }),
    'dns query': times(600, () => resolver.resolve4('example.test').catch(() => undefined)),
    'ioredis get': times(2_000, () => redis.get('key')),
  };
}

/** Publishes what undici does for one call. */
function publishCall() {
  const names = ['request:create', 'client:sendHeaders', 'request:headers', 'request:trailers'];
  const channels = names.map((name) => diagnosticsChannel.channel(`undici:${name}`));
  const socket = { bytesRead: 0 };
  const handler = Symbol('handler');
  class UndiciRequest {
    method = 'GET';
    origin = 'http://127.0.0.1:9';
    path = '/v1/items/4711?page=2';
    completed = false;
    [handler] = {};
  }
  return () => {
    const request = new UndiciRequest();
    for (const channel of channels) if (channel.hasSubscribers) channel.publish({ request, socket });
  };
}

async function measure(way, ports) {
  // Everything else stays as it is: await hooks, watchdog, table.
  if (way === 'without') diagnosticsChannel.subscribe = () => undefined;
  const { openWatch } = await import('@hangwatch/core/adapter');
  const watch = openWatch({ enabled: true, timeout: 600_000 });
  const result = {};
  for (const [name, work] of Object.entries(await works(ports))) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const request = { method: 'GET', url: '/', headers: {}, httpVersionMajor: 1 };
      const response = Object.assign(new EventEmitter(), { destroyed: false, writableFinished: false });
      const record = watch.enter(request, response);
      const began = process.cpuUsage();
      const count = await watch.run(record, work);
      const { user, system } = process.cpuUsage(began);
      record.leave(true);
      least = Math.min(least, (user + system) / count);
    }
    result[name] = least;
  }
  return result;
}

async function servePeers() {
  const listening = async (server) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server.address().port;
  };
  const httpPort = await listening(http.createServer((_request, response) => response.end('ok')));
  const redisPort = await listening(
    net.createServer((socket) =>
      socket
        .on('error', () => undefined)
        .on('data', (data) => {
          // One reply for each command of a pipeline.
          for (const _ of String(data).matchAll(/^\*/gm)) socket.write('+OK\r\n');
        }),
    ),
  );
  const names = createSocket('udp4');
  names.bind(0, '127.0.0.1');
  await once(names, 'listening');
  names.on('message', (query, from) => {
    query.writeUInt16BE(0x8183, 2);
    names.send(query, from.port, from.address);
  });
  console.log(JSON.stringify({ httpPort, redisPort, dnsPort: names.address().port }));
}

const [, , mode, way, ports] = process.argv;
if (mode === '--peers') await servePeers();
else if (mode === '--child') {
  console.log(JSON.stringify(await measure(way, JSON.parse(ports))));
  process.exit(0);
} else {
  const node = option('node', process.execPath);
  const rounds = Number(option('rounds', 9));
  const peers = spawn(process.execPath, [self, '--peers']);
  const [line] = await once(peers.stdout, 'data');
  const samples = { without: [], with: [] };
  for (let round = 0; round < rounds; round++) {
    // Which comes first changes from round to round.
    for (const each of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
      const child = spawnSync(node, [self, '--child', each, String(line).trim()], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      samples[each].push(JSON.parse(child.stdout));
    }
  }
  peers.kill();
  // The least of each: what else the machine does can only add.
  const least = (way, name) => Math.min(...samples[way].map((sample) => sample[name]));
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`microseconds of processor time, least of ${rounds} rounds, Node ${version}`);
  console.log('what'.padEnd(20), ...WAYS.map((each) => each.padStart(9)), 'ratio'.padStart(7));
  for (const name of Object.keys(samples.with[0])) {
    const [before, after] = WAYS.map((each) => least(each, name));
    console.log(
      name.padEnd(20),
      before.toFixed(2).padStart(9),
      after.toFixed(2).padStart(9),
      (after / before).toFixed(3).padStart(7),
    );
  }
}
