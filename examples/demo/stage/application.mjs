import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 2_000;
const endWithParent = new URL('end-with-parent.mjs', import.meta.url).href;

/**
 * Starts one of the applications in a process of its own and waits until it listens.
 *
 * @param {string} name folder in `app/`
 * @param {Record<string, string>} settings environment variables
 * @param {(line: string) => void} onLine told of every line it prints
 * @returns {Promise<{ name: string, url: string, pid: number, stop(): Promise<void> }>}
 * @throws {Error} when it ends, or does not listen in time
 */
export async function startApplication(name, settings, onLine) {
  const script = fileURLToPath(new URL(`../app/${name}/server.mjs`, import.meta.url));
  const child = spawn(process.execPath, ['--import', endWithParent, script], {
    env: { ...inheritedEnvironment(), ...settings, HANGWATCH_SERVICE: name, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = once(child, 'exit');
  const stop = () => stopChild(child, ended);
  const lines = [];
  const listening = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        const url = /^listening on (http:\S+)$/.exec(line)?.[1];
        if (url !== undefined) return resolve(url);
        lines.push(line);
        onLine(line);
      });
    }
  });
  const timer = AbortSignal.timeout(START_DEADLINE_MS);
  const failed = ended.then(([code, signal]) => {
    throw new Error(`application ${name} ended (${signal ?? code}) before it listened:\n${lines.join('\n')}`);
  });
  const late = once(timer, 'abort').then(() => {
    throw new Error(`application ${name} did not listen within ${START_DEADLINE_MS} ms`);
  });
  // Whichever loses the race below is no longer of interest.
  for (const loser of [failed, late]) loser.catch(() => undefined);
  try {
    return { name, url: await Promise.race([listening, failed, late]), pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Without what would change or silence hangwatch: a shell's own settings, a test runner around the demo. */
function inheritedEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^(HANGWATCH_|npm_|VITEST|JEST_|NODE_OPTIONS$|NODE_ENV$|NODE_CHANNEL)/.test(key),
  );
  return Object.fromEntries(kept);
}

async function stopChild(child, ended) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(kill);
}
