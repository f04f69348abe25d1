import type { DumpStore } from './store/dump-store.ts';

/** Options of {@link createCollector}. */
export interface CollectorOptions {
  /**
   * Address to listen on. One that is not loopback needs a {@link token}.
   * @default '127.0.0.1'
   */
  host?: string | undefined;
  /**
   * Port to listen on; 0 takes a free one.
   * @default 4747
   */
  port?: number | undefined;
  /**
   * SQLite file, made where it is missing (its folder is not), or `':memory:'`. Not used with {@link store}.
   * @default 'hangwatch.db'
   */
  db?: string | undefined;
  /** A store of your own, instead of {@link db}. The collector closes it. */
  store?: DumpStore | undefined;
  /** What senders and readers must present; at least 8 characters. Without one everybody who reaches the port may read and write. */
  token?: string | undefined;
  /** Names besides `localhost` and IP addresses that a `Host` header may carry where there is no token. */
  allowedHosts?: readonly string[] | undefined;
  /** Sizes above which a request is refused. */
  limits?: CollectorLimits | undefined;
  /** When dumps are deleted. */
  retention?: RetentionOptions | undefined;
  /**
   * How long a client may take to send a request, in milliseconds.
   * @default 30_000
   */
  requestTimeoutMs?: number | undefined;
  /**
   * Told of the collector's own failures: a store that fails, a bug.
   * @default one line on stderr
   */
  onInternalError?: ((error: unknown) => void) | undefined;
}

/** Sizes above which a request is refused with 413. */
export interface CollectorLimits {
  /**
   * Bytes of a body as it is sent.
   * @default 10 MiB
   */
  bodyBytes?: number | undefined;
  /**
   * Bytes of a body when decompressed.
   * @default 50 MiB
   */
  decompressedBytes?: number | undefined;
  /**
   * Dumps in one NDJSON body.
   * @default 10_000
   */
  dumpsPerRequest?: number | undefined;
}

/** When dumps are deleted, oldest first. */
export interface RetentionOptions {
  /**
   * Age since receipt in milliseconds; `Infinity` keeps them.
   * @default 90 days
   */
  maxAgeMs?: number | undefined;
  /**
   * Dumps kept at most; `Infinity` keeps all.
   * @default 100_000
   */
  maxDumps?: number | undefined;
  /**
   * Time between two looks, in milliseconds.
   * @default 60_000
   */
  intervalMs?: number | undefined;
}
