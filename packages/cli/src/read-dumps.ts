import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import type { Dump } from '@hangwatch/protocol';
import { parseDump } from '@hangwatch/protocol/validate';
import { cleanText } from '@hangwatch/report';
import { CliError } from './cli-error.ts';

const gunzip = promisify(gunzipCallback);
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The dumps in the bytes of a file: one as JSON, or any number as NDJSON; gzipped or not.
 *
 * @param source - what to call it in errors
 * @throws CliError that says where and what is wrong
 */
export async function readDumps(bytes: Uint8Array, source: string): Promise<Dump[]> {
  const text = new TextDecoder().decode(await decompressed(bytes, source)).trim();
  if (text === '') throw new CliError(`${source} is empty`);
  const whole = tryParse(text);
  if (whole.ok) return [checked(whole.value, source)];
  const lines = text.split('\n');
  // One line that is no JSON is a broken dump, not NDJSON.
  if (lines.length === 1 || !tryParse(lines[0] ?? '').ok) throw new CliError(`${source} is not JSON: ${whole.reason}`);
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = tryParse(line);
    if (!parsed.ok) throw new CliError(`${source}, line ${index + 1} is not JSON: ${parsed.reason}`);
    return [checked(parsed.value, `${source}, line ${index + 1}`)];
  });
}

async function decompressed(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await gunzip(bytes, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw new CliError(`${source} cannot be decompressed`, { cause });
  }
}

function tryParse(text: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: cleanText(error instanceof Error ? error.message : String(error), 200) };
  }
}

function checked(value: unknown, source: string): Dump {
  const result = parseDump(value);
  if (result.ok) return result.dump;
  const [issue] = result.issues;
  throw new CliError(`${source} is not a dump: ${cleanText(`${issue?.path} ${issue?.message}`.trim(), 300)}`);
}
