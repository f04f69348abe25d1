import { HangwatchCollectorError } from './collector-error.ts';
import type { CollectorOptions } from './collector-options.ts';
import { buildApp } from './http/build-app.ts';
import { DumpFeed } from './http/dump-feed.ts';
import { listeningUrl } from './listening-url.ts';
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts';
import { RetentionJob } from './retention-job.ts';
import type { DumpStore } from './store/dump-store.ts';
import { openSqliteStore } from './store/sqlite/open-sqlite-store.ts';

const CLOSE_PATIENCE_MS = 5_000;

/** A collector: an HTTP server and a store. */
export interface Collector {
  /** Where the dumps are. */
  readonly store: DumpStore;
  /**
   * Where it listens: `http://127.0.0.1:4747`.
   *
   * @throws HangwatchCollectorError `HANGWATCH_ERR_NOT_LISTENING` before {@link listen}
   */
  readonly url: string;
  /**
   * Listens, and resolves to {@link url}.
   *
   * @throws HangwatchCollectorError `HANGWATCH_ERR_LISTEN` where the address is in use or not this machine's
   */
  listen(): Promise<string>;
  /** Answers what has arrived, ends those who wait for dumps, closes the store. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a collector and opens its store; it does not listen yet.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_OPTION`, `HANGWATCH_ERR_INSECURE_HOST`, `HANGWATCH_ERR_STORE_OPEN`
 * @example
 * ```ts
 * import { createCollector } from '@hangwatch/collector';
 *
 * const collector = await createCollector({ db: '/var/lib/hangwatch/hangwatch.db' });
 * console.log(`dumps: ${await collector.listen()}`);
 * process.once('SIGTERM', () => void collector.close());
 * ```
 */
export async function createCollector(options: CollectorOptions = {}): Promise<Collector> {
  const resolved = resolveOptions(options);
  return new HttpCollector(resolved, resolved.store ?? (await openSqliteStore(resolved.db)));
}

class HttpCollector implements Collector {
  readonly store: DumpStore;
  readonly #options: ResolvedOptions;
  readonly #feed = new DumpFeed();
  readonly #app;
  readonly #retention: RetentionJob;
  #url: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedOptions, store: DumpStore) {
    this.store = store;
    this.#options = options;
    this.#app = buildApp(options, { store, feed: this.#feed, limits: options.limits });
    this.#retention = new RetentionJob(store, options);
  }

  get url(): string {
    if (this.#url !== undefined) return this.#url;
    throw new HangwatchCollectorError(
      'HANGWATCH_ERR_NOT_LISTENING',
      'the collector does not listen: call listen() first',
    );
  }

  async listen(): Promise<string> {
    if (this.#url !== undefined) return this.#url;
    const { host, port } = this.#options;
    try {
      await this.#app.listen({ host, port });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new HangwatchCollectorError('HANGWATCH_ERR_LISTEN', `cannot listen on ${host}:${port}: ${reason}`, {
        cause,
      });
    }
    this.#url = listeningUrl(this.#app.server.address(), host);
    this.#retention.start();
    return this.#url;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // First, or the requests that wait for dumps would hold up the server's end.
    this.#feed.close();
    // A client that is in the middle of a request may finish it; one that dawdles may not keep the process.
    const deadline = setTimeout(() => this.#app.server.closeAllConnections(), CLOSE_PATIENCE_MS).unref();
    await this.#app.close();
    clearTimeout(deadline);
    await this.#retention.stop();
    // Last: every request that is still answered may need it.
    await this.store.close();
    this.#url = undefined;
  }
}
