import type { Dump } from '@hangwatch/protocol';
import { parseDump } from '@hangwatch/protocol/validate';
import type { DumpHead } from '@hangwatch/report';
import { cleanText } from '@hangwatch/report';
import { CliError, EXIT } from './cli-error.ts';
import { reasonOf } from './reason-of.ts';

const ANSWER_TIMEOUT_MS = 15_000;
const DEFAULT_COLLECTOR = 'http://127.0.0.1:4747';

/** Where a collector is, and what it wants to see. */
export interface CollectorAddress {
  collector?: string | undefined;
  token?: string | undefined;
}

/** What a list shows of a dump. */
export type ListedDump = DumpHead & { cursor: string; receivedAt: string };

/** A page of a collector's list. */
export interface DumpsPage<Item> {
  dumps: Item[];
  next: string | null;
  latest: string;
}

/** Parameters of a collector's list; see its README. */
export type ListParameters = Record<string, string | number>;

/** The collector cannot be reached, or fails for now: it may be worth to try again. */
export class CollectorUnavailableError extends CliError {}

/** Reads from a collector over HTTP. What it answers is checked like anything from outside. */
export class CollectorClient {
  readonly #base: URL;
  readonly #token: string | undefined;

  /** Options come first, then `HANGWATCH_COLLECTOR` (the first of a list) and `HANGWATCH_TOKEN`, then {@link DEFAULT_COLLECTOR}. */
  constructor(address: CollectorAddress, env: Readonly<Record<string, string | undefined>>) {
    const [fromEnvironment] = (env['HANGWATCH_COLLECTOR'] ?? '').split(',');
    this.#base = baseUrl(address.collector ?? (fromEnvironment?.trim() || DEFAULT_COLLECTOR));
    this.#token = address.token ?? (env['HANGWATCH_TOKEN'] || undefined);
  }

  /** The dump with this id, undefined where there is none. */
  async dump(id: string): Promise<Dump | undefined> {
    const answer = await this.#get(`v1/dumps/${encodeURIComponent(id)}`);
    return answer === undefined ? undefined : checkedDump(answer);
  }

  /** A page of dumps. */
  async dumps(parameters: ListParameters, signal?: AbortSignal): Promise<DumpsPage<Dump>> {
    const page = await this.#page(parameters, signal);
    return { ...page, dumps: page.dumps.map(checkedDump) };
  }

  /** A page of what a list shows of dumps. */
  async heads(parameters: ListParameters): Promise<DumpsPage<ListedDump>> {
    const page = await this.#page({ ...parameters, view: 'head' });
    return { ...page, dumps: page.dumps.map(checkedHead) };
  }

  async #page(parameters: ListParameters, signal?: AbortSignal): Promise<DumpsPage<unknown>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
    const waitMs = Number(parameters['wait'] ?? 0) * 1_000;
    const answer = await this.#get(`v1/dumps?${query}`, waitMs, signal);
    if (isPage(answer)) return answer;
    throw new CliError(`${this.#base.href} does not answer like a hangwatch collector`);
  }

  /** Undefined for 404. */
  async #get(path: string, waitMs = 0, signal?: AbortSignal): Promise<unknown> {
    const timeout = AbortSignal.timeout(waitMs + ANSWER_TIMEOUT_MS);
    const headers = { accept: 'application/json', ...(this.#token && { authorization: `Bearer ${this.#token}` }) };
    try {
      const response = await fetch(new URL(path, this.#base), {
        headers,
        redirect: 'error',
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      const text = await response.text();
      return this.#judge(response.status, parse(text));
    } catch (error) {
      if (error instanceof CliError || signal?.aborted) throw error;
      throw new CollectorUnavailableError(`cannot reach the collector at ${this.#base.href}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  #judge(status: number, body: unknown): unknown {
    if (status === 200 && body !== undefined) return body;
    if (status === 404 && errorOf(body) !== undefined) return undefined;
    if (status === 401)
      throw new CliError(`the collector at ${this.#base.href} wants a token: --token or HANGWATCH_TOKEN`);
    const message = `the collector at ${this.#base.href} answered ${status}: ${cleanText(errorOf(body) ?? 'no JSON', 300)}`;
    throw status >= 500 ? new CollectorUnavailableError(message) : new CliError(message);
  }
}

function baseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CliError(`the collector must be an http or https URL, got ${JSON.stringify(cleanText(text))}`, {
      exitCode: EXIT.usage,
    });
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the status
  }
}

function errorOf(body: unknown): string | undefined {
  const error = isRecord(body) ? body['error'] : undefined;
  return isRecord(error) && typeof error['message'] === 'string' ? error['message'] : undefined;
}

function isPage(value: unknown): value is DumpsPage<unknown> {
  if (!isRecord(value)) return false;
  const { dumps, next, latest } = value as Partial<Record<keyof DumpsPage<unknown>, unknown>>;
  return Array.isArray(dumps) && (next === null || typeof next === 'string') && typeof latest === 'string';
}

function checkedDump(value: unknown): Dump {
  const result = parseDump(value);
  if (result.ok) return result.dump;
  const [issue] = result.issues;
  throw new CliError(`the collector answered with a wrong dump: ${cleanText(`${issue?.path} ${issue?.message}`, 300)}`);
}

function checkedHead(value: unknown): ListedDump {
  const [dump, process, verdict] = [value, isRecord(value) && value['process'], isRecord(value) && value['verdict']];
  const right =
    hasTexts(dump, ['id', 'kind', 'at', 'cursor', 'receivedAt']) &&
    hasTexts(process, ['service']) &&
    hasTexts(verdict, ['evidence', 'summary']);
  if (right) return dump as ListedDump;
  throw new CliError('the collector answered with a wrong list');
}

function hasTexts(value: unknown, names: string[]): boolean {
  return isRecord(value) && names.every((name) => typeof value[name] === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
