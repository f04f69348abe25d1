import { formatDumpLine } from '@hangwatch/report';
import type { CliIo } from '../cli-io.ts';
import { type CollectorAddress, CollectorClient } from '../collector-client.ts';
import type { OutputOptions } from '../dump-printer.ts';
import { print } from '../print.ts';
import { terminalJson } from '../terminal-json.ts';
import { useColor } from '../use-color.ts';

/** `hangwatch list`: what a collector holds, one line a dump, newest first. */
export async function listCommand(
  options: CollectorAddress & OutputOptions & { limit: number },
  io: CliIo,
): Promise<void> {
  const { dumps } = await new CollectorClient(options, io.env).heads({ limit: options.limit });
  const format = {
    color: useColor(options.color, io),
    now: io.now(),
    ...(io.stdout.isTTY && io.stdout.columns !== undefined && { width: io.stdout.columns }),
  };
  for (const dump of dumps) {
    if (!(await print(io.stdout, options.json ? terminalJson(dump) : formatDumpLine(dump, format)))) return;
  }
  if (dumps.length === 0 && !options.json) await print(io.stderr, 'hangwatch: no dump has arrived yet');
}
