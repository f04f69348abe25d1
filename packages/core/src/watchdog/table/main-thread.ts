import { packRefs } from '../../shared/packed-refs.ts';
import type { WaitSnapshot } from '../../shared/wait-snapshot.ts';
import type {
  EventLoopState,
  LookResult,
  RequestEvidence,
  ResourceCounts,
  SlotRef,
  ToMain,
  ToWatchdog,
} from '../../shared/worker-protocol.ts';
import type { HeldModules } from '../wait-graph/held-modules.ts';
import type { WaitGraph } from '../wait-graph/wait-graph.ts';
import type { WaitVerdict } from '../wait-graph/wait-verdicts.ts';

/** What the main thread answered; `complete` is false when it did not answer in time, or not to the end. */
export interface Gathered {
  readonly complete: boolean;
  readonly requests: ReadonlyMap<number, RequestEvidence>;
  readonly eventLoop: EventLoopState;
  readonly resources: ResourceCounts;
  readonly tookMs: number;
  /** Who waits for and who holds what. */
  readonly waits?: WaitSnapshot | undefined;
  /** What that means. */
  readonly graph?: WaitGraph | undefined;
  /** The same by number of the request. */
  readonly verdicts?: ReadonlyMap<number, WaitVerdict> | undefined;
  /** Modules that requests hold. */
  readonly modules?: HeldModules | undefined;
  /** What a reader ought to know of the places in it. */
  readonly note?: string | undefined;
}

type Answer = Extract<ToWatchdog, { type: 'look' | 'evidence-part' | 'evidence-end' }>;

interface Pending {
  readonly requests: Map<number, RequestEvidence>;
  readonly finish: (answer: Answer | undefined) => void;
  readonly heard: () => void;
}

interface Heard {
  readonly answer: Answer | undefined;
  readonly requests: Map<number, RequestEvidence>;
  readonly waitedMs: number;
}

/** As long as parts of an answer arrive the wait goes on, for this long at most: the report has to be out before something kills the request. */
const LONGEST_ANSWER_MS = 15_000;
/** For so long a main thread is waited for that turns its event loop and says nothing: it is busy, or starved of processor time. */
const BUSY_ANSWER_MS = 5_000;

/** Asks the main thread, and never waits for it longer than agreed: it may be the thing that is stuck. */
export class MainThread {
  readonly #post: (message: ToMain) => void;
  readonly #waitMs: number;
  readonly #turns: () => number;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  /** @param turns a number that moves while the main thread's event loop turns */
  constructor(post: (message: ToMain) => void, waitMs: number, turns: () => number) {
    this.#post = post;
    this.#waitMs = waitMs;
    this.#turns = turns;
  }

  /** Looks at requests that move: how old is the youngest await of each own chain? Empty when there is no answer in time. */
  async look(slots: readonly SlotRef[]): Promise<readonly LookResult[]> {
    const { answer } = await this.#ask((id) => ({ type: 'look', id, slots }));
    return answer?.type === 'look' ? answer.results : [];
  }

  /** Evidence of all requests in flight, the stuck ones first, or of the stuck ones only. */
  async gather(stuck: readonly SlotRef[], only = false): Promise<Gathered> {
    const { answer, requests, waitedMs } = await this.#ask((id) => ({
      type: 'gather',
      id,
      stuck: packRefs(stuck),
      only,
    }));
    if (answer?.type === 'evidence-end') {
      const { eventLoop, resources, tookMs, waits } = answer;
      return { complete: true, requests, eventLoop, resources, tookMs, waits };
    }
    return {
      complete: false,
      requests,
      eventLoop: { delayP99Ms: waitedMs, utilization: 1 },
      resources: {},
      tookMs: waitedMs,
    };
  }

  /** Waits no longer: what has been asked counts as answered as far as it was. */
  giveUp(): void {
    for (const pending of [...this.#pending.values()]) pending.finish(undefined);
  }

  receive(message: Answer): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type !== 'evidence-part') {
      pending.finish(message);
      return;
    }
    for (const request of message.requests) pending.requests.set(request.slot, request);
    pending.heard();
  }

  #ask(question: (id: number) => ToMain): Promise<Heard> {
    const id = this.#nextId++;
    const requests = new Map<number, RequestEvidence>();
    const beganMs = performance.now();
    return new Promise((resolve) => {
      const finish = (answer: Answer | undefined) => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve({ answer, requests, waitedMs: performance.now() - beganMs });
      };
      let turns = this.#turns();
      const giveUp = () => {
        const before = turns;
        turns = this.#turns();
        if (turns === before || performance.now() - beganMs >= BUSY_ANSWER_MS) finish(undefined);
        else timer = setTimeout(giveUp, this.#waitMs);
      };
      let timer = setTimeout(giveUp, this.#waitMs);
      // A part is a sign of life: with ten thousand requests the whole takes longer than a silence may.
      const heard = () => {
        const leftMs = beganMs + LONGEST_ANSWER_MS - performance.now();
        clearTimeout(timer);
        timer = setTimeout(giveUp, Math.max(1, Math.min(this.#waitMs, leftMs)));
      };
      this.#pending.set(id, { requests, finish, heard });
      this.#post(question(id));
    });
  }
}
