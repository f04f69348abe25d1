import { once } from 'node:events';
import { createCollector, HangwatchCollectorError } from '@hangwatch/collector';
import { cleanText } from '@hangwatch/report';
import { CliError, EXIT } from '../cli-error.ts';
import type { CliIo } from '../cli-io.ts';
import { parseWhole } from '../parse-arguments.ts';
import { print } from '../print.ts';

/** Options of `hangwatch collector`; what is undefined comes from the environment. */
export interface CollectorCommandOptions {
  port?: number | undefined;
  host?: string | undefined;
  db?: string | undefined;
  token?: string | undefined;
  allowedHost?: string[] | undefined;
  maxAge?: number | undefined;
  maxDumps?: number | undefined;
  json?: boolean | undefined;
}

/** `hangwatch collector`: runs a collector until it is stopped. */
export async function collectorCommand(options: CollectorCommandOptions, io: CliIo): Promise<void> {
  const { env } = io;
  const db = options.db ?? (env['HANGWATCH_DB'] || 'hangwatch.db');
  const collector = await createCollector({
    db,
    port: options.port ?? portOf(env['HANGWATCH_PORT']),
    host: options.host ?? (env['HANGWATCH_HOST'] || undefined),
    token: options.token ?? (env['HANGWATCH_TOKEN'] || undefined),
    allowedHosts: options.allowedHost,
    retention: { maxAgeMs: options.maxAge, maxDumps: options.maxDumps },
    onInternalError: (error) => void print(io.stderr, `hangwatch: ${cleanText(messageOf(error), 1_000)}`),
  }).catch((error: unknown) => {
    throw asCliError(error);
  });
  // Before it listens: a signal that comes while it starts is not missed.
  const stop = io.stopSignal();
  try {
    const url = await collector.listen();
    const line = options.json
      ? JSON.stringify({ event: 'listening', url, db, pid: process.pid })
      : `hangwatch collector: ${url} (dumps are kept in ${cleanText(db)})`;
    await print(io.stdout, line);
    if (!stop.aborted) await once(stop, 'abort');
  } catch (error) {
    throw asCliError(error);
  } finally {
    await collector.close();
  }
}

function portOf(text: string | undefined): number | undefined {
  if (!text) return undefined;
  try {
    return parseWhole(0, 65_535)(text);
  } catch (cause) {
    const message = `HANGWATCH_PORT must be a whole number from 0 to 65535, got ${JSON.stringify(cleanText(text))}`;
    throw new CliError(message, { exitCode: EXIT.usage, cause });
  }
}

/** What was asked for wrongly is told from what did not work, and named as the person gave it. */
function asCliError(error: unknown): unknown {
  if (!(error instanceof HangwatchCollectorError)) return error;
  const usage = error.code === 'HANGWATCH_ERR_OPTION' || error.code === 'HANGWATCH_ERR_INSECURE_HOST';
  const message = error.message
    .replaceAll(/options\.(retention\.)?/g, '--')
    .replace('--maxAgeMs', '--max-age')
    .replace('--maxDumps', '--max-dumps');
  return new CliError(message, { exitCode: usage ? EXIT.usage : EXIT.failed, cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
