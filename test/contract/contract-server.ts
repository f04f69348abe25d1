import { fileURLToPath } from 'node:url';
import { Scenario, type ScenarioResult } from '@hangwatch/test-utils';
import * as layout from '../../packages/core/src/shared/slot-layout.ts';
import type { Scheme } from './exchange.ts';

const SERVER = fileURLToPath(new URL('../scenarios/contract/server.mjs', import.meta.url));
const { kEntered, kInFlight, kTimeoutMs, kFlags, FLAG_UNWATCHED, SLOTS_PER_SEGMENT } = layout;

/** What the scenario tells of itself. */
export interface State {
  readonly enabled: boolean;
  /** Requests that entered, ever. */
  readonly entered: number;
  readonly inFlight: number;
  readonly taken: number;
  readonly records: readonly {
    readonly route: string | null;
    readonly checkpoint: string | null;
    readonly place: { readonly file: string; readonly line: number } | null;
    readonly timeoutMs: number;
    readonly unwatched: boolean;
    /** Functions in the await stacks that lead to the request's own handler, innermost first. */
    readonly own: readonly (readonly (string | null)[])[];
  }[];
  /** A layer's own name, and where hangwatch had the request when the layer ran. */
  readonly seen: readonly (readonly [name: string, checkpoint: string | null])[];
  readonly unhandled: readonly string[];
  /** When a handler last hung, on the wall clock. */
  readonly hungAtMs: number;
}

/** A server of the contract in a process of its own. */
export class ContractServer {
  readonly port: number;
  /** Those of its further servers. */
  readonly ports: Readonly<Partial<Record<Scheme, number>>>;
  readonly #scenario: Scenario;
  #answers = 1;

  private constructor(scenario: Scenario, { port, ports }: Pick<ContractServer, 'port' | 'ports'>) {
    this.#scenario = scenario;
    this.port = port;
    this.ports = ports;
  }

  /** @param schemes those of further servers of the same application, in the same process */
  static async start(
    framework: string,
    watched: boolean,
    env: Record<string, string> = {},
    schemes: readonly Scheme[] = [],
  ): Promise<ContractServer> {
    const cells = JSON.stringify({ kEntered, kInFlight, kTimeoutMs, kFlags, FLAG_UNWATCHED, SLOTS_PER_SEGMENT });
    const scenario = new Scenario(SERVER, {
      args: [framework, watched ? 'on' : 'off', cells, ...(schemes.length > 0 ? [schemes.join()] : [])],
      // In development Express answers errors with a stack, in which a wrapper shows.
      env: { NODE_ENV: 'production', ...env },
    });
    const line = await scenario.until(({ stdout }) => lineOf(stdout, 0));
    return new ContractServer(scenario, JSON.parse(line) as Pick<ContractServer, 'port' | 'ports'>);
  }

  async state(): Promise<State> {
    return this.#ask('state');
  }

  /** Asks until the state is as wanted. */
  async until(wanted: (state: State) => boolean): Promise<State> {
    for (let left = 200; left > 0; left--) {
      const state = await this.state();
      if (wanted(state)) return state;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`never came: ${JSON.stringify(await this.state())}`);
  }

  /** Closes the server; then the process has to end by itself. */
  async close(): Promise<{ state: State; result: ScenarioResult }> {
    const state = await this.#ask('close');
    return { state, result: await this.#scenario.ended };
  }

  async kill(): Promise<void> {
    await this.#scenario.stop();
  }

  async #ask(question: string): Promise<State> {
    const answer = this.#answers++;
    this.#scenario.child.stdin.write(`${question}\n`);
    return JSON.parse(await this.#scenario.until(({ stdout }) => lineOf(stdout, answer))) as State;
  }
}

function lineOf(stdout: string, index: number): string | undefined {
  const lines = stdout.split('\n');
  return lines.length > index + 1 ? lines[index] : undefined;
}
