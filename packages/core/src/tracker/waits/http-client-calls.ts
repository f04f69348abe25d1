import type { Agent, ClientRequest } from 'node:http';
import type { RequestRecord } from '../request-record.ts';
import { stampCall, stampOf } from './call-stamp.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { OutboundWait } from './outbound-wait.ts';
import { attemptOf } from './socket-connects.ts';
import { socketStage } from './socket-stage.ts';
import type { CurrentRecord } from './traced-calls.ts';
import { urlText } from './url-text.ts';

interface Message {
  readonly request: ClientRequest & {
    readonly res?: { readonly complete?: boolean; readonly readableLength?: number };
  };
}

/** A call of Node's http or https client. */
export class HttpClientCall extends OutboundWait {
  readonly type = 'http';
  readonly #request: Message['request'];
  /** What its connection had received when the request had been sent. */
  #bytesBefore: number | undefined;

  constructor(record: RequestRecord, request: Message['request']) {
    super(record);
    this.#request = request;
  }

  sent(): void {
    this.#bytesBefore = this.#request.socket?.bytesRead;
  }

  override over(): boolean {
    const { destroyed, res } = this.#request;
    return destroyed || res?.complete === true;
  }

  label(): string {
    return `${targetText(this.#request)}, ${this.#stage()}`;
  }

  #stage(): string {
    const { res, socket, writableEnded, reusedSocket } = this.#request;
    if (res !== undefined && res !== null) {
      const bytes = this.#bytesBefore === undefined ? undefined : (socket?.bytesRead ?? 0) - this.#bytesBefore;
      const unread = res.readableLength ?? 0;
      return `response headers, no end of the response body${bytes === undefined ? '' : ` (${bytes} bytes so far)`}${unread > 0 ? `, ${unread} bytes not read by the application` : ''}`;
    }
    if (socket === null || socket === undefined) return agentStage(this.#request);
    const connecting = reusedSocket ? undefined : socketStage(socket, attemptOf(socket));
    if (connecting !== undefined) return connecting;
    return writableEnded ? 'sent, no response headers' : 'request body not sent whole';
  }
}

type AgentWithLimits = Agent & { readonly totalSocketCount?: number };

/** A request that waits for a socket, as its caller knows it. */
export function httpCallLabel(request: ClientRequest): string {
  return `${targetText(request)}, ${agentStage(request)}`;
}

function targetText(request: ClientRequest): string {
  const host = request.getHeader('host');
  const origin = `${request.protocol}//${typeof host === 'string' ? host : request.host}`;
  return `${request.method} ${urlText(origin, String(request.path))}`;
}

/** A request without a socket waits for one of its agent's. */
function agentStage(request: ClientRequest): string {
  const agent = (request as { agent?: AgentWithLimits }).agent;
  if (agent === undefined || agent === null) return 'waiting for a socket';
  const name = Object.entries(agent.requests).find(([, queued]) => queued?.some((each) => isSame(each, request)))?.[0];
  if (name === undefined) return 'waiting for a socket';
  const inUse = agent.sockets[name]?.length ?? 0;
  const [used, limit] =
    inUse >= agent.maxSockets ? [inUse, agent.maxSockets] : [agent.totalSocketCount ?? inUse, agent.maxTotalSockets];
  return `waiting for a socket of the agent (${used} of ${limit} in use)`;
}

// The types call what is queued an IncomingMessage; it is the request that was made.
const isSame = (queued: object, request: ClientRequest): boolean => queued === request;

/**
 * Calls of Node's http and https client. Node 22 and later tell of a request when it is made; before, when it has been sent, so that one
 * that waits for a socket is looked for among the agents' queues when a dump asks (`queued-requests.ts`).
 */
export function watchHttpClientCalls(
  subscriptions: ChannelSubscriptions,
  current: CurrentRecord,
  seen: (agent: unknown) => void,
): void {
  const begin = (request: Message['request']): HttpClientCall | undefined => {
    const record = current();
    if (record === undefined) return undefined;
    const call = new HttpClientCall(record, request);
    stampCall(request, call);
    return call;
  };
  subscriptions.on<Message>('http.client.request.created', ({ request }) => begin(request));
  subscriptions.on<Message>('http.client.request.start', ({ request }) => {
    seen((request as { agent?: unknown }).agent);
    const call = stampOf(request) ?? begin(request);
    if (call instanceof HttpClientCall) call.sent();
  });
  // In spite of its name: the response's headers are there. Its end is seen by the next sweep.
  subscriptions.on<Message>('http.client.response.finish', ({ request }) => {
    stampOf(request)?.record.outboundFinished();
  });
  subscriptions.on<Message>('http.client.request.error', ({ request }) => stampOf(request)?.end());
}
