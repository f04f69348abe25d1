import { gunzipSync, gzipSync } from 'node:zlib';
import type { Dump } from '@hangwatch/protocol';

/** A dump ready to be posted: its JSON, compressed. */
export interface Parcel {
  /** The dump's id; for a parcel read back from the spool, the file's name. */
  readonly label: string;
  readonly gzip: Buffer;
}

/** Longest JSON text of one dump, in characters; longer ones lose moving requests first. */
export const MAX_JSON_CHARS = 16 * 1024 * 1024;

/** Longest JSON text that a spool file may unpack to, in bytes: three a character, the most UTF-8 needs for one UTF-16 unit. */
export const MAX_JSON_BYTES = 3 * MAX_JSON_CHARS;

/**
 * Turns a dump into bytes. Synchronous, because zlib's asynchronous calls run on libuv's thread pool, which the
 * application may have blocked; level 1, because time matters more than size here (10 MB of JSON: about 50 ms).
 * A dump over `maxJsonChars` keeps its first requests (the stuck ones), as many as fit; the others are added to `suppressed.requests`.
 *
 * @throws what JSON.stringify throws, for a dump that is none
 */
export function packDump(dump: Dump, maxJsonChars = MAX_JSON_CHARS): Parcel {
  let kept = dump;
  let json = JSON.stringify(kept);
  while (json.length > maxJsonChars && kept.requests.length > 0) {
    // A little below the share that would just fit, and always at least one fewer: requests differ in size.
    const share = (0.9 * maxJsonChars) / json.length;
    kept = firstRequests(dump, Math.min(kept.requests.length - 1, Math.floor(kept.requests.length * share)));
    json = JSON.stringify(kept);
  }
  return { label: dump.id, gzip: gzipSync(json, { level: 1 }) };
}

/**
 * The dump inside a parcel.
 *
 * @throws if the bytes are not gzip, unpack to more than {@link MAX_JSON_BYTES}, or are not JSON
 */
export function unpackDump(gzip: Buffer): Dump {
  return JSON.parse(gunzipSync(gzip, { maxOutputLength: MAX_JSON_BYTES }).toString('utf8')) as Dump;
}

function firstRequests(dump: Dump, count: number): Dump {
  return {
    ...dump,
    requests: dump.requests.slice(0, count),
    suppressed: {
      ...dump.suppressed,
      requests: dump.suppressed.requests + dump.requests.length - count,
    },
  };
}
