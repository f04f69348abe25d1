import { gunzipSync, gzipSync } from 'node:zlib';
import type { Dump } from '@hangwatch/protocol';
import { DUMP_CHARS, fittingJson } from './fit-dump.ts';

/** A dump ready to be posted: its JSON, compressed. */
export interface Parcel {
  /** The dump's id; for a parcel read back from the spool, the file's name. */
  readonly label: string;
  readonly gzip: Buffer;
}

/** Longest JSON text that a spool file may unpack to, in bytes. Files may be those of another version: three bytes a character, the most UTF-8 needs for one UTF-16 unit. */
export const MAX_JSON_BYTES = 3 * 16 * 1024 * 1024;

/**
 * Turns a dump into bytes. Synchronous, because zlib's asynchronous calls run on libuv's thread pool, which the
 * application may have blocked; level 1, because time matters more than size here (10 MB of JSON: about 50 ms). What is too long is cut: see {@link fittingJson}.
 *
 * @throws what JSON.stringify throws, for a dump that is none
 */
export function packDump(dump: Dump, maxChars = DUMP_CHARS): Parcel {
  return { label: dump.id, gzip: gzipSync(fittingJson(dump, maxChars), { level: 1 }) };
}

/**
 * The dump inside a parcel.
 *
 * @throws if the bytes are not gzip, unpack to more than {@link MAX_JSON_BYTES}, or are not JSON
 */
export function unpackDump(gzip: Buffer): Dump {
  return JSON.parse(gunzipSync(gzip, { maxOutputLength: MAX_JSON_BYTES }).toString('utf8')) as Dump;
}
