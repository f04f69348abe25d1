// Starts a collector and three applications, makes requests hang, and shows what hangwatch says about it.
// The applications are in app/, the scenery in stage/; what hangs, and how, is in stage/staged-hangs.mjs.
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startApplication } from './stage/application.mjs';
import { awaitReports } from './stage/await-reports.mjs';
import { cleanUp } from './stage/clean-up.mjs';
import { helpText, parseCommandLine } from './stage/command-line.mjs';
import { startHealthyTraffic } from './stage/healthy-traffic.mjs';
import { readCollector } from './stage/read-collector.mjs';
import { screen as createScreen } from './stage/screen.mjs';
import { startSilentServer } from './stage/silent-server.mjs';
import { findMarks } from './stage/source-marks.mjs';
import { stageHang } from './stage/stage-hang.mjs';
import { healthyRequests, stagedHangs } from './stage/staged-hangs.mjs';
import { startCollector } from './stage/start-collector.mjs';

const TIMEOUT_MS = 2_000;
/** What blocks is a matter of the machine's speed: short, so that a fast one shows it too. */
const BLOCKED_MS = 500;
const DEADLINE_MS = 60_000;
/** Long enough for the ledger, which takes longer than the time-out, to be written from beginning to end once more. */
const WATCH_ON_MS = 5_000;

const undo = cleanUp();
const ending = new AbortController();
// Every request under way listens to it.
setMaxListeners(0, ending.signal);
const screen = createScreen();

async function main({ once, port }) {
  screen.title('hangwatch demo: three applications, seven real hangs');
  const folder = await mkdtemp(path.join(tmpdir(), 'hangwatch-demo-'));
  undo.add('delete the temporary folder', () => rm(folder, { recursive: true, force: true }));
  const collector = await startCollector(path.join(folder, 'dumps.db'), port);
  undo.add('stop the collector', collector.stop);
  const urls = await startApplications(folder, collector.url);
  screen.step(
    `collector ${collector.url}, applications ${[...urls.keys()].join(', ')}; time-out ${TIMEOUT_MS / 1_000} s`,
  );

  const traffic = startHealthyTraffic(healthyRequests, urls);
  undo.add('stop the healthy traffic', async () => traffic.stop());
  screen.step('healthy traffic has begun, and goes on all the time');

  const answered = [];
  const marks = await findMarks(fileURLToPath(new URL('app', import.meta.url)));
  const reader = readCollector(collector.url);
  const { signal } = ending;
  // What blocks comes last: while an event loop stands still, requests hang that nobody has staged.
  const acts = [stagedHangs.filter((hang) => !blocks(hang)), stagedHangs.filter(blocks)];
  let result;
  for (const [act, hangs] of acts.entries()) {
    screen.title(act === 0 ? 'Staged' : 'Staged, now that these are reported: event loops that stand still');
    for (const hang of hangs) {
      screen.step(`${hang.name}: ${hang.story}`);
      await stageHang(hang, urls.get(hang.application), { signal, onAnswer: (text) => answered.push(text) });
    }
    screen.title('Reported');
    const last = act === acts.length - 1;
    result = await awaitReports({
      hangs: last ? stagedHangs : hangs,
      reader,
      marks,
      signal,
      screen,
      onDump: screen.report,
      deadlineMs: DEADLINE_MS,
      watchOnMs: last ? WATCH_ON_MS : 0,
    });
  }
  screen.endProgress();
  const succeeded = sumUp(result, answered, traffic);
  lookFurther(collector.url, reader.all());
  const lastLine = `demo: ${stagedHangs.length} hangs staged, ${result.reported.length} reported, ${result.falseReports.length} false`;
  if (once) return { lastLine, exitCode: succeeded ? 0 : 1 };

  screen.print(lastLine);
  screen.note('The requests still hang and the page is still there. Ctrl-C ends it all.');
  for (;;) {
    await delay(1_000, undefined, { signal: ending.signal });
    for (const dump of await reader.fetchNew()) screen.report(dump);
  }
}

/** Whether it is the event loop that hangs. */
const blocks = ({ requests }) => requests.some(({ block }) => block !== undefined);

async function startApplications(folder, collectorUrl) {
  const carrier = await startSilentServer();
  undo.add('stop the silent server', carrier.stop);
  const settings = {
    CARRIER_URL: carrier.url,
    DATA_DIR: folder,
    // Where hangwatch keeps what it has not delivered: an earlier demo that was killed is not part of this one.
    TMPDIR: folder,
    TEMP: folder,
    HANGWATCH_COLLECTOR: collectorUrl,
    HANGWATCH_TIMEOUT: String(TIMEOUT_MS),
    HANGWATCH_BLOCKED_LOOP: String(BLOCKED_MS),
  };
  const urls = new Map();
  const names = [...new Set(stagedHangs.map((hang) => hang.application))];
  const starting = names.map(async (name) => {
    const application = await startApplication(name, settings, (line) => screen.application(name, line));
    undo.add(`stop ${name}`, application.stop);
    urls.set(name, application.url);
  });
  // Those that did start are to be stopped, whatever happens to another.
  const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return urls;
}

/** Says what came of it. True only if every hang was reported as it should be, and nothing went wrong beside. */
function sumUp({ reported, problems, falseReports }, answered, traffic) {
  const { sent, answered: healthy } = traffic.counts;
  screen.title('Result');
  for (const name of reported) screen.good(name);
  for (const problem of [...problems, ...answered]) screen.bad(problem);
  for (const report of falseReports) screen.bad(`reported as stuck, and was not: ${report}`);
  for (const failure of traffic.failures) screen.bad(failure);
  screen.step(`${healthy} healthy requests were answered, ${sent - healthy - traffic.failures.length} are under way`);
  return [problems, answered, falseReports, traffic.failures].every((list) => list.length === 0);
}

function lookFurther(url, dumps) {
  const [first] = dumps;
  screen.title('Look further');
  screen.step(`page        ${url}/`);
  if (first !== undefined) screen.step(`one report  npx hangwatch show ${first.id} --collector ${url}`);
  screen.step(`follow      npx hangwatch tail --collector ${url}`);
  screen.print();
}

async function end(exitCode, lastLine) {
  ending.abort();
  screen.endProgress();
  await undo.run();
  if (lastLine !== undefined) console.log(lastLine);
  process.exit(exitCode);
}

let command;
try {
  command = parseCommandLine(process.argv.slice(2));
} catch (error) {
  console.error(`demo: ${error.message}\n\n${helpText}`);
  process.exit(2);
}
if (command.help) {
  console.log(helpText);
  process.exit(0);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.once(signal, () => end(command.once ? code : 0));
}
try {
  const { lastLine, exitCode } = await main(command);
  await end(exitCode, lastLine);
} catch (error) {
  if (!ending.signal.aborted) {
    screen.endProgress();
    console.error(`demo: ${error.stack ?? error}`);
    await end(1);
  }
}
