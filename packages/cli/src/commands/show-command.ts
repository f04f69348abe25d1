import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Dump } from '@hangwatch/protocol';
import { CliError } from '../cli-error.ts';
import type { CliIo } from '../cli-io.ts';
import { type CollectorAddress, CollectorClient } from '../collector-client.ts';
import { dumpPrinter, type OutputOptions } from '../dump-printer.ts';
import { readDumps } from '../read-dumps.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** `hangwatch show`: dumps from a file, from stdin (`-`), or from a collector by id or its beginning. */
export async function showCommand(source: string, options: CollectorAddress & OutputOptions, io: CliIo): Promise<void> {
  const printDump = dumpPrinter(options, io);
  for (const dump of await load(source, options, io)) {
    if (!(await printDump(dump))) return;
  }
}

async function load(source: string, address: CollectorAddress, io: CliIo): Promise<Dump[]> {
  if (source === '-') return readDumps(await buffer(io.stdin), 'stdin');
  const bytes = await readIfThere(source);
  if (bytes !== undefined) return readDumps(bytes, source);
  if (!ID.test(source)) throw new CliError(`there is no file ${JSON.stringify(source)}`);
  return [await fromCollector(source, new CollectorClient(address, io.env))];
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`cannot read ${JSON.stringify(file)}: ${reason}`, { cause });
  }
}

async function fromCollector(id: string, client: CollectorClient): Promise<Dump> {
  const exact = await client.dump(id);
  if (exact !== undefined) return exact;
  const { dumps } = await client.heads({ idPrefix: id, limit: 2 });
  if (dumps.length > 1) throw new CliError(`more than one dump has an id that begins with ${id}: give more of it`);
  const found = dumps[0] && (await client.dump(dumps[0].id));
  if (found !== undefined) return found;
  throw new CliError(`there is neither a file nor a dump ${JSON.stringify(id)}`);
}
