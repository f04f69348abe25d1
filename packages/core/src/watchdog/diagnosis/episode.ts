import type { DumpRequestVerdict, Evidence } from '@hangwatch/protocol';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';

/** Hangs of one request that are reported: one that stops at ever new places is known well enough by then. */
const MAX_REPORTS = 8;
/** Frames that make a place, innermost first. */
const FRAMES = 8;

/**
 * What has been said of a request that hung. It is said again when the request has moved on and hangs elsewhere, or when what is known
 * has become stronger: merely slow, and now it stands still. Times are milliseconds of the awake clock.
 */
export class Episode {
  /** When it was last found stuck; what began before is known. */
  atMs: number;
  #weight: number;
  #reports = 1;
  readonly #places: Set<string>;

  constructor(verdict: DumpRequestVerdict, place: string, atMs: number) {
    this.atMs = atMs;
    this.#weight = weightOf(verdict.evidence);
    this.#places = new Set([place]);
  }

  /** Nothing more is said of this request until it ends. */
  get exhausted(): boolean {
    return this.#reports >= MAX_REPORTS;
  }

  /** Whether this says more than was said before. */
  isNews({ evidence }: DumpRequestVerdict, place: string): boolean {
    return weightOf(evidence) > this.#weight || !this.#places.has(place);
  }

  /** Found stuck again, where it was before. */
  again(atMs: number): void {
    this.atMs = atMs;
  }

  /** The request was found stuck again, and it was reported (or suppressed with others of its kind). */
  reported({ evidence }: DumpRequestVerdict, place: string, atMs: number): void {
    this.atMs = atMs;
    this.#weight = Math.max(this.#weight, weightOf(evidence));
    this.#places.add(place);
    this.#reports += 1;
  }
}

/** Where a request stands, so that two hangs of it can be told apart: its own frames, or else the last checkpoint. */
export function standingPlace(evidence: RequestEvidence | undefined): string {
  if (evidence === undefined) return '';
  const own = evidence.stacks[0] ?? [];
  // In the JavaScript that runs: its sources may be known only later, and that is no other place.
  const frames = own
    .slice(0, FRAMES)
    .map((frame) => frame.generated ?? frame)
    .map(({ file, line, column }) => `${file}:${line}:${column}`);
  return [evidence.checkpoint.label, ...frames].join('\n');
}

/** A hang says more than slowness, and a proof more than a hang; the classes in between are different views of one hang. */
function weightOf(evidence: Evidence): number {
  if (evidence === 'slow') return 0;
  return evidence.startsWith('proven-') ? 2 : 1;
}
