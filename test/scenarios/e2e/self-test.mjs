// An application of one framework that tests its own watchdog when it is told to: `run` on stdin is answered with a line of JSON.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { selfTest, selfTestHandler, watchServer } from '@hangwatch/core';

const [framework, given = '{}'] = process.argv.slice(2);
let hangs = 0;
const options = { scanInterval: 50, onHang: () => hangs++, onInternalError: () => {}, ...JSON.parse(given) };

/** Registers hangwatch; returns how that framework's users reach the test, and what closes the registration. */
const registrations = {
  async 'node:http'() {
    const watch = watchServer(server, { ...options, ignore: '/self-test' });
    return { selfTest, close: () => watch.close() };
  },
  async express() {
    const { hangwatch } = await import('@hangwatch/express');
    const middleware = hangwatch(options);
    return { selfTest: hangwatch.selfTest, close: () => middleware.close() };
  },
  async koa() {
    const { hangwatch } = await import('@hangwatch/koa');
    const middleware = hangwatch(options);
    return { selfTest: hangwatch.selfTest, close: () => middleware.close() };
  },
  async fastify() {
    const { hangwatch } = await import('@hangwatch/fastify');
    const { default: Fastify } = await import('fastify');
    const app = Fastify();
    await app.register(hangwatch, options);
    await app.ready();
    return { selfTest: hangwatch.selfTest, close: () => app.close() };
  },
  async none() {
    return { selfTest, close: async () => {} };
  },
};

const handler = selfTestHandler();
const server = createServer((request, response) => {
  if (request.url === '/self-test') handler(request, response);
  // Everything else hangs.
});
const app = await registrations[framework]();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
say({ port: server.address().port });

const inFlight = () =>
  globalThis[Symbol.for('hangwatch.core/1')]?.tracker.records.filter((x) => x !== undefined).length;
const run = async (limits) => {
  try {
    return await app.selfTest(limits);
  } catch (error) {
    return { code: error.code, message: error.message };
  }
};
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const [command, count = '1', limits = '{}'] = line.split(' ');
  if (command === 'close') break;
  const results = await Promise.all(Array.from({ length: Number(count) }, () => run(JSON.parse(limits))));
  say({ results, hangs, inFlight: inFlight() });
}
server.closeAllConnections();
server.close();
await app.close();
process.stdin.destroy();
