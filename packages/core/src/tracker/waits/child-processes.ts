import type { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import type { RequestRecord } from '../request-record.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { OutboundWait } from './outbound-wait.ts';
import type { CurrentRecord } from './traced-calls.ts';

/** `close` comes when the child has exited and its streams have ended: Node counts both. */
type CountingChild = ChildProcess & { readonly _closesNeeded?: number; readonly _closesGot?: number };

/** A child process that a request has started, until it and its streams are closed. */
export class ChildProcessWait extends OutboundWait {
  readonly type = 'child-process';
  readonly #child: CountingChild;

  constructor(record: RequestRecord, child: ChildProcess) {
    super(record);
    this.#child = child;
  }

  override over(): boolean {
    const { pid, spawnfile, _closesNeeded: needed, _closesGot: got } = this.#child;
    // Told of while it is being constructed; a failed spawn has a file, and no pid.
    if (pid === undefined) return typeof spawnfile === 'string';
    return this.#exited && (needed === undefined || got === undefined || got >= needed);
  }

  get #exited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The file's name and no more: arguments may be secrets, and folders say nothing. */
  label(): string {
    const { spawnfile, pid } = this.#child;
    const file = typeof spawnfile === 'string' ? basename(spawnfile) : '(not known)';
    const stage = this.#exited ? 'has exited, its output is held open' : 'running';
    return `child process ${file} (pid ${pid ?? 'not known'}), ${stage}`;
  }
}

/** Child processes, `fork` and `exec` included; the synchronous ones block the event loop and are no matter of this. */
export function watchChildProcesses(subscriptions: ChannelSubscriptions, current: CurrentRecord): void {
  subscriptions.on<{ process: ChildProcess }>('child_process', ({ process: child }) => {
    const record = current();
    if (record !== undefined) new ChildProcessWait(record, child);
  });
}
