import { kBeat, kBeatAsked, kInspectorPort, kRunning } from '../../shared/slot-layout.ts';

type Inspector = typeof import('node:inspector');

/** Answers the watchdog's heartbeats: a few stores, ten times a second while requests are in flight. */
export class HeartbeatAnswer {
  readonly #header: Uint32Array;
  /** Looked up at the first heartbeat: some builds of Node have none. */
  #inspector: Inspector | undefined;
  #url: string | undefined;

  constructor(header: Uint32Array) {
    this.#header = header;
  }

  beat(): void {
    const header = this.#header;
    this.#notePort();
    // Who runs from here on says so; until then nobody has.
    header[kRunning] = 0;
    Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
  }

  /** A debugger that is connected keeps the thread at breakpoints: the watchdog has to know where to look for it. */
  #notePort(): void {
    this.#inspector ??= process.getBuiltinModule('node:inspector');
    const url = this.#inspector?.url();
    if (url === this.#url) return;
    this.#url = url;
    this.#header[kInspectorPort] = url === undefined ? 0 : Number(new URL(url).port);
  }
}
