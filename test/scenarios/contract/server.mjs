// One server of one framework, with hangwatch or without. Answers `state`, `close` and `exit` on stdin with a line of JSON each.
import { createInterface } from 'node:readline';
import { state, unhandled } from './probe.mjs';

const [framework, watched, cells] = [process.argv[2], process.argv[3] === 'on', JSON.parse(process.argv[4])];
process.on('unhandledRejection', (reason) => unhandled.push(String(reason)));

const { start } = await import(`./apps/${framework}.mjs`);
const app = await start(watched);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ port: app.server.address().port });

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  if (line === 'state') say(state(cells));
  if (line === 'close') {
    await app.close();
    say(state(cells));
    break;
  }
}
lines.close();
process.stdin.destroy();
