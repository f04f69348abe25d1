import { cleanText } from '@hangwatch/report';
import { createColors } from 'picocolors';
import { CliError, EXIT } from '../cli-error.ts';
import type { CliIo } from '../cli-io.ts';
import { type Examination, isHealthy } from '../doctor/check.ts';
import { examine, examineDelivery } from '../doctor/examine.ts';
import type { OutputOptions } from '../dump-printer.ts';
import { print } from '../print.ts';
import { terminalJson } from '../terminal-json.ts';
import { useColor } from '../use-color.ts';

/** `hangwatch doctor URL…`: whether reports of an application, or of any, reach the collector. */
export async function doctorCommand(
  urls: readonly string[],
  options: OutputOptions & { token?: string | undefined },
  io: CliIo,
): Promise<void> {
  const token = options.token ?? (io.env['HANGWATCH_TOKEN'] || undefined);
  const examinations: Examination[] = [];
  for (const url of urls.map(parseUrl)) examinations.push(await examine(url, token));
  const all = await compared(examinations, token);
  const ok = all.every(isHealthy);
  if (options.json) await print(io.stdout, terminalJson({ ok, examined: all }));
  else for (const examination of all) await print(io.stdout, textOf(examination, useColor(options.color, io)));
  if (!ok) throw new CliError('something is wrong: see above', { exitCode: EXIT.failed });
}

/** An application and a collector together: is it this collector that the application reports to? */
async function compared(examinations: readonly Examination[], token: string | undefined): Promise<Examination[]> {
  const dumpIds = examinations.flatMap(({ kind, dumpId }) =>
    kind === 'application' && dumpId !== undefined ? [dumpId] : [],
  );
  return Promise.all(
    examinations.map(async (examination) => {
      if (examination.kind !== 'collector' || !isHealthy(examination)) return examination;
      const deliveries = await Promise.all(dumpIds.map((id) => examineDelivery(examination, id, token)));
      return { ...examination, checks: [...examination.checks, ...deliveries] };
    }),
  );
}

function textOf({ kind, url, checks }: Examination, color: boolean): string {
  const colors = createColors(color);
  const lines = checks.map(({ name, ok, detail }) => {
    const mark = ok ? colors.green('✓') : colors.red('✗');
    return `  ${mark} ${name}${detail === '' ? '' : colors.dim(`: ${detail}`)}`;
  });
  return [colors.bold(`${kind === 'unknown' ? 'unknown' : kind} ${cleanText(url, 300)}`), ...lines].join('\n');
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new CliError(`doctor wants http or https URLs, got ${JSON.stringify(cleanText(text))}`, {
    exitCode: EXIT.usage,
  });
}
