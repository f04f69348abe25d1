import type { DumpRequestVerdict } from '@hangwatch/protocol';
import { MAX_REQUESTS, type SlotRef, type WatchdogSettings } from '../shared/worker-protocol.ts';
import { diagnose } from './diagnosis/diagnose.ts';
import { standingPlace } from './diagnosis/episode.ts';
import type { Finding } from './diagnosis/finding.ts';
import { fingerprintOf, tellingStacks } from './diagnosis/fingerprint.ts';
import type { SlowPlaces } from './diagnosis/slow-places.ts';
import { KnownHangs } from './reports/known-hangs.ts';
import type { Outbox } from './reports/outbox.ts';
import type { Reports } from './reports/reports.ts';
import type { SourceMapper } from './source-maps/source-mapper.ts';
import type { Gathered, MainThread } from './table/main-thread.ts';
import { elapsedMs, isStaged, isToBeActedOn, refOf, type Suspect, type Watched } from './table/scanner.ts';
import { emptyReading, type TableReader } from './table/table-reader.ts';
import type { Texts } from './table/texts.ts';
import { deadlockedBeside } from './wait-graph/deadlocked-beside.ts';
import { judgeWaits } from './wait-graph/wait-verdicts.ts';

/** Looks asked for in one scan, oldest first; the rest is asked for in the next. */
const LOOKS_PER_SCAN = 64;

interface InvestigatorParts {
  readonly table: TableReader;
  readonly main: Pick<MainThread, 'look' | 'gather'>;
  readonly texts: Texts;
  readonly settings: Pick<WatchdogSettings, 'scanIntervalMs' | 'cwd'>;
  readonly sources: Pick<SourceMapper, 'map'>;
  readonly places: SlowPlaces;
  readonly outbox: Pick<Outbox, 'mayReport' | 'isNews'>;
  readonly reports: Pick<Reports, 'hangs' | 'staged' | 'act'>;
  readonly nowMs: () => number;
  /** Somebody's requests that were there at a moment. */
  readonly inFlight: (thenMs: number) => readonly Watched[];
  /** Whether a report of the blocked event loop says why the main thread does not answer. */
  readonly explainsSilence: () => boolean;
}

/** Evidence in places of the sources, and when it was taken: ages are those of the evidence, however long the sources take. */
interface Evidence {
  readonly gathered: Gathered;
  readonly takenMs: number;
}

/** Looks closer at suspects: asks the main thread for evidence, judges by it, and has reported what it finds. */
export class Investigator {
  readonly #parts: InvestigatorParts;
  readonly #known: KnownHangs;

  constructor(parts: InvestigatorParts) {
    this.#parts = parts;
    this.#known = new KnownHangs(parts.nowMs());
  }

  /** Investigates what a scan has found. */
  async lookInto(found: readonly Suspect[], nowMs: number): Promise<void> {
    const { outbox, reports } = this.#parts;
    const confirmed = await this.#confirm(found, nowMs);
    const staged = confirmed.find(({ watched }) => isStaged(watched));
    if (staged !== undefined) await this.#lookIntoStaged(staged, nowMs);
    const others = confirmed.filter(({ watched }) => !isStaged(watched));
    if (others.length === 0) return;
    // In a storm nothing could be sent: the main thread is left in peace until it could, but for what it wants to act on.
    if (!outbox.mayReport(others)) {
      await this.#actOn(
        others.filter(({ watched }) => isToBeActedOn(watched) && !watched.actedOn),
        nowMs,
      );
      return;
    }
    const known = others.filter(({ watched }) => this.#known.has(watched, nowMs));
    // More than a dump holds: the others are found again by the next scan.
    const suspects = this.#withoutKnown(others, known, nowMs).slice(0, MAX_REQUESTS);
    if (suspects.length === 0) return;
    // What is no news needs nobody's evidence but its own.
    const only = known.length === others.length;
    let { findings, gathered, takenMs } = await this.#examine(suspects, only, nowMs);
    if (only && outbox.isNews(findings.map(({ fingerprint }) => fingerprint)))
      ({ findings, gathered, takenMs } = await this.#examine(suspects, false, nowMs));
    if (findings.length > 0 && reports.hangs(findings, gathered, nowMs, takenMs) === 'known')
      this.#known.suppressed(findings, nowMs);
  }

  /** What is to be answered or aborted is judged, and not reported: that is held until it may be. */
  async #actOn(suspects: readonly Suspect[], nowMs: number): Promise<void> {
    if (suspects.length === 0) return;
    const { findings } = await this.#examine(suspects.slice(0, MAX_REQUESTS), true, nowMs);
    this.#parts.reports.act(findings);
  }

  /** Known ones are looked at together, and now and then; but not those on which the main thread wants to act. */
  #withoutKnown(suspects: readonly Suspect[], known: readonly Suspect[], nowMs: number): readonly Suspect[] {
    if (known.length === 0 || this.#known.mayLook(nowMs)) return suspects;
    const waiting = new Set(known.filter(({ watched }) => watched.episode !== undefined || !isToBeActedOn(watched)));
    const nextMs = this.#known.nextLookMs(nowMs);
    for (const { watched } of waiting) watched.heldUntilMs = nextMs;
    return suspects.filter((suspect) => !waiting.has(suspect));
  }

  /** @param only nothing is asked of the other requests in flight */
  async #examine(suspects: readonly Suspect[], only: boolean, nowMs: number) {
    const refs = suspects.map(({ watched }) => refOf(watched));
    const evidence = await this.evidence(refs, suspects, only);
    const { requests, complete } = evidence.gathered;
    // Who still stands still afterwards is found again.
    const explained = requests.size === 0 && !complete && this.#parts.explainsSilence();
    const deadlocked = deadlockedBeside(suspects, evidence.gathered, this.#parts.inFlight(evidence.takenMs));
    const judged = explained ? [] : [...suspects, ...deadlocked];
    return { ...evidence, findings: judged.flatMap((suspect) => this.#judge(suspect, evidence.gathered, nowMs)) };
  }

  /** The suspects without those that move and whose own chain, which is looked at, is younger than their timeout. */
  async #confirm(suspects: readonly Suspect[], nowMs: number): Promise<readonly Suspect[]> {
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
  #judge(suspect: Suspect, gathered: Gathered, nowMs: number): Finding[] {
    const { watched, suspicion, stood } = suspect;
    const { slot, generation } = watched;
    // Gone, or moving again, while the evidence was being gathered: no hang.
    if (this.#parts.table.generation(slot) !== generation || this.#hasMoved(suspect)) return [];
    const evidence = gathered.requests.get(slot);
    const judgement = diagnose({
      suspicion,
      timeoutMs: watched.reading.timeoutMs,
      idleMs: nowMs - stood.movedAtMs,
      stalledMs: nowMs - stood.advancedAtMs,
      outboundIdleMs: nowMs - stood.outboundAtMs,
      elapsedMs: elapsedMs(watched, nowMs),
      toleranceMs: this.#parts.settings.scanIntervalMs,
      cwd: this.#parts.settings.cwd,
      evidence: evidence?.generation === generation ? evidence : undefined,
      waiting: gathered.verdicts?.get(watched.reading.request),
    });
    if (!judgement.stuck) {
      watched.lookAtMs = nowMs + judgement.againInMs;
      watched.heldUntilMs = 0;
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

  /**
   * Evidence of all requests in flight.
   *
   * @param first those that most is to be known of
   * @param suspects of those that are slow, it is added where they were seen before
   * @param only of those alone
   */
  async evidence(first: readonly SlotRef[], suspects: readonly Suspect[] = [], only = false): Promise<Evidence> {
    const { main, sources, nowMs } = this.#parts;
    const answer = await main.gather(first, only);
    const takenMs = nowMs();
    const requests = this.#withPlaces(answer.requests, suspects);
    // In the sources' own places before anything is judged by them: texts and fingerprints are the same for every build of a source.
    const { value, note } = await sources.map({ requests: [...requests], waits: answer.waits });
    const judged = judgeWaits(value.waits, this.#parts.settings.cwd);
    return { gathered: { ...answer, ...judged, requests: new Map(value.requests), note }, takenMs };
  }

  #withPlaces(gathered: Gathered['requests'], suspects: readonly Suspect[]): Gathered['requests'] {
    const requests = new Map(gathered);
    for (const { watched, suspicion } of suspects) {
      const evidence = requests.get(watched.slot);
      const seen = suspicion === 'slow' ? this.#parts.places.of(watched) : undefined;
      if (evidence !== undefined && seen !== undefined)
        requests.set(watched.slot, { ...evidence, seenAt: seen.places, seenByTurns: seen.byTurns });
    }
    return requests;
  }

  async #lookIntoStaged(suspect: Suspect, nowMs: number): Promise<void> {
    const { gathered, takenMs } = await this.evidence([refOf(suspect.watched)]);
    for (const finding of this.#judge(suspect, gathered, nowMs)) {
      this.#parts.reports.staged(finding, gathered, nowMs, takenMs);
    }
  }

  /** What makes a `still` request no suspect is any movement; what makes a `moving` one none is an advance of its own. */
  #hasMoved({ watched, suspicion, stood }: Suspect): boolean {
    const now = emptyReading();
    if (suspicion === 'slow' || !this.#parts.table.read(watched.slot, now)) return false;
    if (now.progress !== stood.progress) return true;
    return suspicion === 'still' && (now.sequence !== stood.sequence || now.outbound !== stood.outbound);
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
  summary: `${summary}; it was reported before${evidence === 'proven-cycle' ? '' : ', and has moved on since'}`,
});
