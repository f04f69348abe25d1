import type { Dump } from '@hangwatch/protocol';
import { formatDump } from '@hangwatch/report';
import type { CliIo } from './cli-io.ts';
import { print } from './print.ts';
import { terminalJson } from './terminal-json.ts';
import { useColor } from './use-color.ts';

/** How dumps are printed. */
export interface OutputOptions {
  json?: boolean | undefined;
  color?: boolean | undefined;
}

/** Makes what prints dumps one after the other: as text with an empty line between, or as NDJSON. It returns false when nobody reads any longer. */
export function dumpPrinter(options: OutputOptions, io: CliIo): (dump: Dump) => Promise<boolean> {
  if (options.json) return (dump) => print(io.stdout, terminalJson(dump));
  const color = useColor(options.color, io);
  let first = true;
  return (dump) => {
    const text = formatDump(dump, { color, now: io.now(), width: io.stdout.columns ?? 120 });
    const separator = first ? '' : '\n';
    first = false;
    return print(io.stdout, separator + text);
  };
}
