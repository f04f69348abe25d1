import type { AwaitStack } from '@hangwatch/async-hooks-helpers';
import type { DumpWait } from '@hangwatch/protocol';
import { clockSince, kCheckpointMs } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import { findActiveResources } from './active-resources.ts';
import { ChannelSubscriptions } from './channel-subscriptions.ts';
import { watchChildProcesses } from './child-processes.ts';
import { watchDatabaseCalls } from './database-calls.ts';
import { distinctWaits } from './distinct-waits.ts';
import { watchDnsQueries } from './dns-queries.ts';
import { watchHttpClientCalls } from './http-client-calls.ts';
import { watchHttp2ClientCalls } from './http2-client-calls.ts';
import { watchModuleImports } from './module-imports.ts';
import type { OutboundFind } from './outbound-find.ts';
import { MAX_SHOWN, OutboundWait } from './outbound-wait.ts';
import { QueuedRequests } from './queued-requests.ts';
import { watchSocketConnects } from './socket-connects.ts';
import type { CurrentRecord } from './traced-calls.ts';
import { watchUndiciCalls } from './undici-calls.ts';
import { UndiciPools } from './undici-pools.ts';
import { waitsInStacks } from './waits-in-stacks.ts';
import { watchWorkerThreads } from './worker-threads.ts';

/** Outbound work that was found, and not heard of, by request. */
export type FoundWaits = ReadonlyMap<RequestRecord, readonly OutboundFind[]>;

/**
 * Hears of the outbound work that requests begin, through the diagnostics channels that Node and libraries publish: a request that begins
 * none pays nothing. What each source tells is put into the request's record (`OutboundWait`). What nobody tells of is looked for when a dump
 * is made.
 */
export class OutboundSources {
  readonly #subscriptions = new ChannelSubscriptions();
  readonly #queued = new QueuedRequests();
  readonly #pools = new UndiciPools();
  readonly #current: CurrentRecord;
  readonly #storeKey: symbol | undefined;
  readonly #undoDns: () => void;

  /** @param storeKey where Node keeps the context of a resource; `undefined` for versions that don't */
  constructor(current: CurrentRecord, storeKey?: symbol) {
    this.#current = current;
    this.#storeKey = storeKey;
    const subscriptions = this.#subscriptions;
    watchUndiciCalls(subscriptions, current, (socket) => this.#pools.seen(socket));
    watchHttpClientCalls(subscriptions, current, (agent) => this.#queued.seen(agent));
    watchHttp2ClientCalls(subscriptions, current);
    watchSocketConnects(subscriptions, current);
    watchChildProcesses(subscriptions, current);
    watchWorkerThreads(subscriptions, current);
    watchModuleImports(subscriptions, current);
    watchDatabaseCalls(subscriptions, current);
    this.#undoDns = watchDnsQueries(current);
  }

  /** Looks for what nobody tells of, in the whole process: once for a dump. */
  find(): FoundWaits {
    const found = new Map<RequestRecord, OutboundFind[]>();
    for (const each of [
      ...this.#queued.find(this.#current),
      ...this.#pools.find(this.#current),
      ...findActiveResources(this.#storeKey),
    ]) {
      const finds = found.get(each.record);
      if (finds === undefined) found.set(each.record, [each]);
      else finds.push(each);
    }
    return found;
  }

  stop(): void {
    this.#subscriptions.stop();
    this.#undoDns();
  }
}

/** All the outbound work that the request waits for: heard of, found, and seen in its await stacks. */
export function outboundWaits(
  record: RequestRecord,
  stacks: readonly AwaitStack[],
  found: FoundWaits,
  nowMs: number,
): DumpWait[] {
  const finds = (found.get(record) ?? []).slice(0, MAX_SHOWN);
  const sinceMs = finds.length === 0 ? 0 : foundSinceMs(record, stacks, nowMs);
  const known = [...OutboundWait.of(record, nowMs), ...finds.map(({ type, label }) => ({ type, label, sinceMs }))];
  return distinctWaits([...known, ...waitsInStacks(stacks, known)]);
}

/** What was found has no beginning of its own: it is as old as what awaits it, or else as the last place that was passed. */
function foundSinceMs(record: RequestRecord, stacks: readonly AwaitStack[], nowMs: number): number {
  const own = stacks.filter((stack) => stack.own);
  if (own.length > 0) return Math.min(...own.map(({ ageMs }) => ageMs));
  return clockSince(nowMs, record.cells[record.base + kCheckpointMs] ?? 0);
}
