// One server of one framework, with hangwatch or without; and, where a list of schemes is given, one more for each of them. Answers `state`, `close` and `exit` on stdin with a line of JSON each.
import { createInterface } from 'node:readline';
import { state, unhandled } from './probe.mjs';

const [framework, watched, cells] = [process.argv[2], process.argv[3] === 'on', JSON.parse(process.argv[4])];
process.on('unhandledRejection', (reason) => unhandled.push(String(reason)));

const { start } = await import(`./apps/${framework}.mjs`);
const app = await start(watched);
const further = new Map();
for (const scheme of process.argv[5]?.split(',') ?? []) further.set(scheme, await start(watched, scheme));
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const portOf = ({ server }) => server.address().port;
say({ port: portOf(app), ports: Object.fromEntries([...further].map(([scheme, each]) => [scheme, portOf(each)])) });

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  if (line === 'state') say(state(cells));
  if (line === 'close') {
    await Promise.all([app, ...further.values()].map((each) => each.close()));
    say(state(cells));
    break;
  }
}
lines.close();
process.stdin.destroy();
