/** Takes a dump when the process gets a signal. Only where it was asked for: a listener takes the signal's own effect away. */
export class DumpSignal {
  readonly #signal: NodeJS.Signals;
  readonly #listener: () => void;

  constructor(signal: NodeJS.Signals, take: () => Promise<unknown>) {
    this.#signal = signal;
    this.#listener = () => void take();
    process.on(signal, this.#listener);
  }

  stop(): void {
    process.off(this.#signal, this.#listener);
  }
}
