import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { statementShape } from './statement-shape.ts';
import { type CurrentRecord, type TracedKind, watchTracedCalls } from './traced-calls.ts';

/** What the clients publish, as far as it is read. Statements are cut to their shape, values and arguments are not touched. */
interface Context {
  readonly query?: unknown;
  readonly command?: unknown;
  readonly procedure?: unknown;
  readonly table?: unknown;
  readonly batchSize?: unknown;
  readonly server?: unknown;
  readonly port?: unknown;
  readonly serverAddress?: unknown;
  readonly serverPort?: unknown;
}

const query: TracedKind<Context> = {
  type: 'database',
  label: (context) => `${statementShape(context.query ?? context.command)}${at(context)}, no answer`,
};
const execute: TracedKind<Context> = {
  type: 'database',
  label: (context) =>
    `${context.procedure === undefined ? statementShape(context.query ?? context.command) : `EXECUTE ${name(context.procedure)}`}${at(context)}, no answer`,
};
const bulk: TracedKind<Context> = {
  type: 'database',
  label: (context) => `BULK INSERT INTO ${name(context.table)}${at(context)}, no answer`,
};
const connect: TracedKind<Context> = {
  type: 'database',
  label: (context) => `database connection${at(context)}, not ready`,
};
const pool: TracedKind<Context> = {
  type: 'pool',
  label: (context) => `a connection of the database pool${at(context)}`,
};
const command: TracedKind<Context> = {
  type: 'redis',
  label: (context) => `redis ${name(context.command).toUpperCase()}${at(context)}, no reply`,
};
const batch: TracedKind<Context> = {
  type: 'redis',
  label: (context) => `redis pipeline of ${name(context.batchSize)} commands${at(context)}, no reply`,
};
const redisConnect: TracedKind<Context> = {
  type: 'redis',
  label: (context) => `redis connection${at(context)}, not ready`,
};

/** Tracing channels of database clients that publish any; a client that is not loaded costs nothing. */
const CHANNELS: readonly [string, TracedKind<Context>][] = [
  ['mysql2:query', query],
  ['mysql2:execute', execute],
  ['mysql2:connect', connect],
  ['mysql2:pool:connect', pool],
  ['mssql:query', query],
  ['mssql:batch', query],
  ['mssql:execute', execute],
  ['mssql:bulk', bulk],
  ['mssql:connect', connect],
  ['mssql:pool:acquire', pool],
  ['mssql:prepared-statement:prepare', query],
  ['mssql:prepared-statement:execute', query],
  ['ioredis:command', command],
  ['ioredis:batch', batch],
  ['ioredis:connect', redisConnect],
  ['node-redis:command', command],
  ['node-redis:batch', batch],
  ['node-redis:connect', redisConnect],
];

/** Queries, commands and connections of mysql2, mssql (tedious), ioredis and node-redis. */
export function watchDatabaseCalls(subscriptions: ChannelSubscriptions, current: CurrentRecord): void {
  for (const [channel, kind] of CHANNELS) watchTracedCalls(channel, kind, subscriptions, current);
}

function at({ serverAddress, server, serverPort, port }: Context): string {
  const host = serverAddress ?? server;
  if (typeof host !== 'string' || host === '') return '';
  const number = serverPort ?? port;
  return ` at ${host}${number === undefined ? '' : `:${String(number)}`}`;
}

/** A name of something: never more than that, whatever comes. */
function name(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return /^[\w.[\]" -]{1,80}$/.test(text) ? text : '(not known)';
}
