import { ChannelSubscriptions } from './channel-subscriptions.ts';
import { watchChildProcesses } from './child-processes.ts';
import { watchDatabaseCalls } from './database-calls.ts';
import { watchHttpClientCalls } from './http-client-calls.ts';
import { watchHttp2ClientCalls } from './http2-client-calls.ts';
import { watchModuleImports } from './module-imports.ts';
import { watchSocketConnects } from './socket-connects.ts';
import type { CurrentRecord } from './traced-calls.ts';
import { watchUndiciCalls } from './undici-calls.ts';
import { watchWorkerThreads } from './worker-threads.ts';

/**
 * Hears of the outbound work that requests begin, through the diagnostics channels that Node and libraries publish: a request that begins
 * none pays nothing. What each source tells is put into the request's record (`OutboundWait`).
 */
export class OutboundSources {
  readonly #subscriptions = new ChannelSubscriptions();

  constructor(current: CurrentRecord) {
    const subscriptions = this.#subscriptions;
    watchUndiciCalls(subscriptions, current);
    watchHttpClientCalls(subscriptions, current, () => undefined);
    watchHttp2ClientCalls(subscriptions, current);
    watchSocketConnects(subscriptions, current);
    watchChildProcesses(subscriptions, current);
    watchWorkerThreads(subscriptions, current);
    watchModuleImports(subscriptions, current);
    watchDatabaseCalls(subscriptions, current);
  }

  stop(): void {
    this.#subscriptions.stop();
  }
}
