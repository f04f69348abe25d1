import type { DumpRequestVerdict } from '@hangwatch/protocol';
import type { WatchdogSettings } from '../shared/worker-protocol.ts';
import { diagnose } from './diagnosis/diagnose.ts';
import { standingPlace } from './diagnosis/episode.ts';
import { fingerprintOf, tellingStacks } from './diagnosis/fingerprint.ts';
import type { Finding, Texts } from './reports/dump-builder.ts';
import type { Gathered, MainThread } from './table/main-thread.ts';
import { elapsedMs, refOf, type Suspect, type Watched } from './table/scanner.ts';
import { emptyReading, type TableReader } from './table/table-reader.ts';

/** Looks asked for in one scan, oldest first; the rest is asked for in the next. */
const LOOKS_PER_SCAN = 64;

interface InvestigatorParts {
  readonly table: TableReader;
  readonly main: Pick<MainThread, 'look'>;
  readonly texts: Texts;
  readonly settings: Pick<WatchdogSettings, 'scanIntervalMs' | 'cwd'>;
}

/** Makes findings of suspects: looks closer at those that move, and judges all by the evidence. */
export class Investigator {
  readonly #parts: InvestigatorParts;

  constructor(parts: InvestigatorParts) {
    this.#parts = parts;
  }

  /** The suspects without those that move and whose own chain, which is looked at, is younger than their timeout. */
  async confirm(suspects: readonly Suspect[], nowMs: number): Promise<readonly Suspect[]> {
    const moving = suspects
      .filter(({ suspicion }) => suspicion === 'moving')
      // Nobody knows yet of those that were never reported. Then who has waited longest, or high slots would never get a look.
      .sort(
        ({ watched: a }, { watched: b }) =>
          Number(a.episode !== undefined) - Number(b.episode !== undefined) ||
          a.lookAtMs - b.lookAtMs ||
          a.advancedAtMs - b.advancedAtMs,
      )
      .slice(0, LOOKS_PER_SCAN);
    const others = suspects.filter(({ suspicion }) => suspicion !== 'moving');
    if (moving.length === 0) return others;
    const looks = await this.#parts.main.look(moving.map(({ watched }) => refOf(watched)));
    const ages = new Map(looks.map((look) => [look.slot, look.youngestOwnMs]));
    const toleranceMs = this.#parts.settings.scanIntervalMs;
    const stalled = moving.filter(({ watched }) => {
      const ageMs = ages.get(watched.slot);
      // No answer, or no time for one: the next scan asks again.
      if (ageMs === 'deferred' || !ages.has(watched.slot)) return false;
      const { timeoutMs } = watched.reading;
      if (standsAsReported(watched, ageMs, nowMs)) {
        watched.lookAtMs = nowMs + timeoutMs;
        return false;
      }
      const stalledMs =
        ageMs === undefined
          ? Math.min(nowMs - watched.advancedAtMs, nowMs - watched.outboundAtMs)
          : ageMs - toleranceMs;
      if (stalledMs >= timeoutMs) return true;
      watched.lookAtMs = nowMs + Math.max(1, timeoutMs - stalledMs);
      return false;
    });
    return [...others, ...stalled];
  }

  /** What is found of a suspect, once there is evidence; nothing, where that acquits it or is no news. */
  judge({ watched, suspicion }: Suspect, gathered: Gathered, nowMs: number): Finding[] {
    const { slot, generation } = watched;
    // Gone, or moving again, while the evidence was being gathered: no hang.
    if (this.#parts.table.generation(slot) !== generation || this.#hasMoved(watched, suspicion)) return [];
    const evidence = gathered.requests.get(slot);
    const judgement = diagnose({
      suspicion,
      timeoutMs: watched.reading.timeoutMs,
      idleMs: nowMs - watched.movedAtMs,
      stalledMs: nowMs - watched.advancedAtMs,
      outboundIdleMs: nowMs - watched.outboundAtMs,
      elapsedMs: elapsedMs(watched, nowMs),
      toleranceMs: this.#parts.settings.scanIntervalMs,
      cwd: this.#parts.settings.cwd,
      evidence: evidence?.generation === generation ? evidence : undefined,
    });
    if (!judgement.stuck) {
      watched.lookAtMs = nowMs + judgement.againInMs;
      return [];
    }
    const place = standingPlace(evidence);
    if (watched.episode?.isNews(judgement.verdict, place) === false) {
      watched.episode.again(nowMs);
      return [];
    }
    const verdict = watched.episode === undefined ? judgement.verdict : repeated(judgement.verdict);
    const method = evidence?.method ?? this.#parts.texts.get(watched.reading.method) ?? '';
    const route = evidence?.route ?? this.#parts.texts.get(watched.reading.route) ?? '';
    const fingerprint = fingerprintOf({ evidence: verdict.evidence, method, route, stacks: tellingStacks(evidence) });
    return [{ watched, verdict, fingerprint, place }];
  }

  /** What makes a `still` request no suspect is any movement; what makes a `moving` one none is an advance of its own. */
  #hasMoved(watched: Watched, suspicion: Suspect['suspicion']): boolean {
    const now = emptyReading();
    if (suspicion === 'slow' || !this.#parts.table.read(watched.slot, now)) return false;
    const { reading } = watched;
    if (now.progress !== reading.progress) return true;
    return suspicion === 'still' && (now.sequence !== reading.sequence || now.outbound !== reading.outbound);
  }
}

/** What it was last reported for still goes on: the same await of its own, or, where none is known, no advance since. */
function standsAsReported({ episode, advancedAtMs, outboundAtMs }: Watched, ownMs: number | undefined, nowMs: number) {
  if (episode === undefined) return false;
  const sinceMs = ownMs === undefined ? Math.max(advancedAtMs, outboundAtMs) : nowMs - ownMs;
  return sinceMs <= episode.atMs;
}

const repeated = ({ evidence, summary }: DumpRequestVerdict): DumpRequestVerdict => ({
  evidence,
  summary: `${summary}; it was reported before, and has moved on since`,
});
