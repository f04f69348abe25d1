import { AsyncResource } from 'node:async_hooks';
import http, { type Agent, ClientRequest } from 'node:http';
import https from 'node:https';
import { httpCallLabel } from './http-client-calls.ts';
import type { OutboundFind } from './outbound-find.ts';
import type { CurrentRecord } from './traced-calls.ts';

/** Agents remembered, and requests of theirs looked at in one dump. */
const MAX_AGENTS = 100;
const MAX_REQUESTS = 1_000;

/**
 * Requests that wait for a socket of their agent, which Node 20 does not tell of. They are in the agent's queue, each with an `AsyncResource`
 * made in its caller's context.
 */
export class QueuedRequests {
  readonly #known = new WeakSet<object>();
  #agents: WeakRef<Agent>[] = [new WeakRef(http.globalAgent), new WeakRef(https.globalAgent)];

  /** Takes note of an agent that some request uses: who waits for one of its sockets waits for a request that has been sent. */
  seen(agent: unknown): void {
    if (!(agent instanceof http.Agent) || this.#known.has(agent)) return;
    this.#known.add(agent);
    if (this.#agents.length >= MAX_AGENTS) this.#agents = this.#agents.filter((each) => each.deref() !== undefined);
    if (this.#agents.length < MAX_AGENTS) this.#agents.push(new WeakRef(agent));
  }

  find(current: CurrentRecord): OutboundFind[] {
    const agents = new Set(this.#agents.map((each) => each.deref()));
    const queued = [...agents].flatMap((agent) => Object.values(agent?.requests ?? {}).flat()).slice(0, MAX_REQUESTS);
    return queued.flatMap((request: unknown) => {
      if (!(request instanceof ClientRequest)) return [];
      const record = resourceOf(request)?.runInAsyncScope(current);
      return record === undefined ? [] : [{ record, type: 'http' as const, label: httpCallLabel(request) }];
    });
  }
}

function resourceOf(request: ClientRequest): AsyncResource | undefined {
  const symbol = Object.getOwnPropertySymbols(request).find(
    ({ description }) => description === 'requestAsyncResource',
  );
  const resource: unknown = symbol === undefined ? undefined : Reflect.get(request, symbol);
  return resource instanceof AsyncResource ? resource : undefined;
}
