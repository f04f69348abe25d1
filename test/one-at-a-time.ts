/** Work that is done one piece after the other, whoever asks for it. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // Who comes next waits for its end, however it ends.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
