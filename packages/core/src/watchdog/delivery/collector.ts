import type { AddressBook } from './address-book.ts';
import { BackOff, COLLECTOR_BACK_OFF } from './back-off.ts';
import type { Clock } from './clock.ts';
import type { CollectorUrl } from './collector-url.ts';
import type { HttpPost } from './http-post.ts';
import type { PostOutcome } from './post-outcome.ts';
import type { Problems } from './problems.ts';

/** A refused token is tried again no sooner: somebody has to change something first. */
const UNAUTHORIZED_MS = 60_000;

/** What a {@link Collector} needs. */
export interface CollectorOptions {
  readonly target: CollectorUrl;
  readonly token: string | undefined;
  readonly userAgent: string;
  readonly http: HttpPost;
  readonly addresses: AddressBook;
  readonly problems: Problems;
  readonly clock: Clock;
  readonly random: () => number;
}

/** One collector: posts to it, remembers when it may be tried again, and says what is wrong with it. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #backOff: BackOff;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#backOff = new BackOff(COLLECTOR_BACK_OFF, options.clock, options.random);
    const { token, target, userAgent } = options;
    const authorization = token === undefined ? target.basicAuth : `Bearer ${token}`;
    this.#headers = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'user-agent': userAgent,
      ...(authorization === undefined ? {} : { authorization }),
    };
  }

  /** Its base URL, for people to read. */
  get label(): string {
    return this.#options.target.label;
  }

  /** Milliseconds until it may be tried again; 0 = now. */
  get waitMs(): number {
    return this.#backOff.waitMs;
  }

  /** Posts one parcel. Never rejects. */
  async post(gzip: Buffer, limitMs: number): Promise<PostOutcome> {
    const { http, target } = this.#options;
    const outcome = await http.post({ url: target.url, headers: this.#headers, body: gzip, limitMs });
    this.#learn(outcome);
    return outcome;
  }

  #learn(outcome: PostOutcome): void {
    const { addresses, problems, target } = this.#options;
    switch (outcome.kind) {
      case 'acknowledged':
        this.#backOff.succeeded();
        break;
      case 'rejected':
        // It answers, and the fault is the dump's.
        this.#backOff.succeeded();
        problems.tell(
          'dump-rejected',
          `collector ${target.label} refuses a dump for good: ${outcome.status} ${outcome.answer}`.trimEnd(),
        );
        break;
      case 'unauthorized':
        this.#backOff.failed({ leastMs: UNAUTHORIZED_MS });
        problems.tell(
          'collector-unauthorized',
          `collector ${target.label} refuses the token: ${outcome.status} ${outcome.answer}`.trimEnd(),
        );
        break;
      case 'busy':
        this.#backOff.failed({ askedMs: outcome.askedMs });
        problems.tell('collector-busy', `collector ${target.label} answers ${outcome.status}: dumps wait`);
        break;
      case 'failed':
        this.#backOff.failed();
        if (outcome.status === undefined) addresses.doubt(target.url.hostname);
        problems.tell('collector-unreachable', `collector ${target.label}: ${outcome.reason}; dumps wait`);
    }
  }
}
