/**
 * Strings that the watchdog must know without asking: routes, methods, checkpoint labels. Each is sent once, when it is new.
 * Id 0 stands for "not known" and, past the limit, for whatever no longer fits: an application that puts an order number into
 * every label must not fill the memory of two threads.
 */
export class StringTable {
  readonly #ids = new Map<string, number>();
  readonly #limit: number;
  readonly #onNew: (id: number, text: string) => void;

  constructor(onNew: (id: number, text: string) => void, limit = 10_000) {
    this.#onNew = onNew;
    this.#limit = limit;
  }

  intern(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size >= this.#limit) return 0;
    const id = this.#ids.size + 1;
    this.#ids.set(text, id);
    this.#onNew(id, text);
    return id;
  }

  *entries(): Generator<{ id: number; text: string }> {
    for (const [text, id] of this.#ids) yield { id, text };
  }
}
