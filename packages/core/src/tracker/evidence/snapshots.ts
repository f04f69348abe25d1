import type { Dump } from '@hangwatch/protocol';
import type { ToWatchdog } from '../../shared/worker-protocol.ts';

/** Dumps that somebody has asked for: whoever asks while one is under way gets the same. */
export class Snapshots {
  readonly #post: (message: ToWatchdog) => boolean;
  #asked: { readonly id: number; readonly promise: Promise<Dump | undefined> } | undefined;
  #resolve: (dump: Dump | undefined) => void = () => undefined;
  #nextId = 1;

  /** `post` returns whether there is a watchdog to ask. */
  constructor(post: (message: ToWatchdog) => boolean) {
    this.#post = post;
  }

  /** `undefined` where no watchdog answers. */
  ask(): Promise<Dump | undefined> {
    if (this.#asked !== undefined) return this.#asked.promise;
    const id = this.#nextId++;
    if (!this.#post({ type: 'dump', id })) return Promise.resolve(undefined);
    const promise = new Promise<Dump | undefined>((resolve) => {
      this.#resolve = resolve;
    });
    this.#asked = { id, promise };
    return promise;
  }

  answered(id: number, dump: Dump | undefined): void {
    if (this.#asked?.id !== id) return;
    this.#asked = undefined;
    this.#resolve(dump);
  }

  /** The watchdog is gone: nobody will answer any more. */
  giveUp(): void {
    if (this.#asked !== undefined) this.answered(this.#asked.id, undefined);
  }
}
