import type { CallSite } from './call-site.ts';

/** The stacks that outstanding awaits further out must have, and how many of each. */
export class StackEnds {
  readonly #ids = new Map<CallSite, number>();
  readonly #expected = new Map<string, number>();
  /** Ends that several ways lead to, through a `Promise.all`. */
  readonly #joined = new Set<string>();

  /** Each function further out awaits the next one in: its stack is the rest of this one. */
  expect(frames: readonly CallSite[]): void {
    for (let i = 1; i < frames.length; i++) {
      const end = frames.slice(i);
      if (frames[i - 1]?.promiseIndex !== undefined) {
        // All elements of a `Promise.all` lead to the one function that awaits it.
        const key = this.#key(end);
        if (this.#joined.has(key)) return;
        this.#joined.add(key);
      }
      this.expectEnd(end);
    }
  }

  /** One await with this very stack. */
  expectEnd(frames: readonly CallSite[]): void {
    const end = this.#key(frames);
    this.#expected.set(end, (this.#expected.get(end) ?? 0) + 1);
  }

  take(frames: readonly CallSite[]): boolean {
    const end = this.#key(frames);
    const left = this.#expected.get(end) ?? 0;
    if (left === 0) return false;
    if (left === 1) this.#expected.delete(end);
    else this.#expected.set(end, left - 1);
    return true;
  }

  get allTaken(): boolean {
    return this.#expected.size === 0;
  }

  #key(frames: readonly CallSite[]): string {
    return frames.map((frame) => this.#idOf(frame)).join();
  }

  #idOf(frame: CallSite): number {
    let id = this.#ids.get(frame);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(frame, id);
    }
    return id;
  }
}
