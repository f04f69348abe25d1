import type { Worker } from 'node:worker_threads';
import type { RequestRecord } from '../request-record.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { OutboundWait } from './outbound-wait.ts';
import type { CurrentRecord } from './traced-calls.ts';

/** A worker thread that a request has started, until it ends. What goes to and fro by message is told nowhere. */
export class WorkerWait extends OutboundWait {
  readonly type = 'worker';
  readonly #worker: Worker;
  readonly #threadId: number;

  constructor(record: RequestRecord, worker: Worker) {
    super(record);
    this.#worker = worker;
    this.#threadId = worker.threadId;
  }

  override over(): boolean {
    return this.#worker.threadId === -1;
  }

  label(): string {
    const { threadName } = this.#worker as { threadName?: unknown };
    const name = typeof threadName === 'string' && threadName !== '' ? ` "${threadName.slice(0, 80)}"` : '';
    return `worker thread ${this.#threadId}${name}, ${this.#stage()}`;
  }

  #stage(): string {
    const { idle, active } = this.#worker.performance.eventLoopUtilization();
    if (idle + active === 0) return 'its event loop has not begun';
    return `running, its event loop busy for ${Math.round((active / (idle + active)) * 100)}% of its life`;
  }
}

/** Worker threads started in a request's context. */
export function watchWorkerThreads(subscriptions: ChannelSubscriptions, current: CurrentRecord): void {
  subscriptions.on<{ worker: Worker }>('worker_threads', ({ worker }) => {
    const record = current();
    if (record !== undefined) new WorkerWait(record, worker);
  });
}
