/** Jumps shorter than this are the scan's own unevenness. */
const LEAST_PAUSE_MS = 500;
/** Pauses remembered; before the oldest of them ages are only known to be at least so high. */
const MAX_PAUSES = 256;

interface Offset {
  readonly fromMs: number;
  /** Monotonic time less the shared clock's, from then on. */
  readonly offsetMs: number;
}

/**
 * How long ago something was, for what bears the shared clock's time: that clock stands still while nothing is in flight and while the
 * process is suspended, and the recent past goes back beyond such pauses.
 */
export class ClockPauses {
  readonly #offsets: Offset[] = [];
  #clockMs = 0;
  #monotonicMs = 0;

  /** Called at each scan, with the time of both clocks. */
  advance(clockMs: number, monotonicMs: number): void {
    const offsetMs = monotonicMs - clockMs;
    const last = this.#offsets.at(-1);
    // It jumped after the scan before this one: what happened since belongs to the time after the pause.
    if (last === undefined) this.#offsets.push({ fromMs: 0, offsetMs });
    else if (offsetMs - last.offsetMs >= LEAST_PAUSE_MS) this.#offsets.push({ fromMs: this.#clockMs, offsetMs });
    if (this.#offsets.length > MAX_PAUSES) this.#offsets.shift();
    this.#clockMs = clockMs;
    this.#monotonicMs = monotonicMs;
  }

  /** Milliseconds from what happened at `atMs` of the shared clock to the last scan. */
  since(atMs: number): number {
    const offset = this.#offsets.findLast(({ fromMs }) => fromMs <= atMs) ?? this.#offsets[0];
    if (offset === undefined) return 0;
    return Math.max(0, Math.round(this.#monotonicMs - (atMs + offset.offsetMs)));
  }
}
