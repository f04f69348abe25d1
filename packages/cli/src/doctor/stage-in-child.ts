import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CliError } from '../cli-error.ts';
import type { StagedResult } from './staged-application.ts';

/** In the built package, beside `index.js`. */
const APPLICATION = fileURLToPath(new URL('./doctor/staged-application.js', import.meta.url));
const LONGEST_MS = 60_000;

/**
 * Runs an application that reports to the collector, in a process of its own as applications are, and makes it hang.
 *
 * @throws CliError with the step that failed
 */
export async function stageInChild(
  collector: string,
  token: string | undefined,
): Promise<Extract<StagedResult, { ok: true }>> {
  const { NODE_OPTIONS: _, HANGWATCH_DISABLED: __, ...inherited } = process.env;
  const env = { ...inherited, HANGWATCH_COLLECTOR: collector, HANGWATCH_TOKEN: token ?? '' };
  const { stdout } = await promisify(execFile)(process.execPath, [APPLICATION], { env, timeout: LONGEST_MS });
  const result = JSON.parse(stdout) as StagedResult;
  if (result.ok) return result;
  throw new CliError(result.message);
}
