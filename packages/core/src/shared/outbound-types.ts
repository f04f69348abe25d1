/**
 * Kinds of outbound work: what `type` says of a wait in a dump.
 *
 * - `http`: undici, `fetch`, and Node's http, https and http2 clients
 * - `connect`: a socket that is being connected, its DNS lookup and its TLS handshake included
 * - `dns`: a lookup or query of `node:dns`
 * - `database`: a query, or a connection being opened; `redis`: a command
 * - `pool`: a connection of a database client's pool
 * - `fs`: a file
 * - `child-process`, `worker`: one that this request has started
 * - `import`: a module
 */
export type OutboundType =
  | 'http'
  | 'connect'
  | 'dns'
  | 'database'
  | 'redis'
  | 'pool'
  | 'fs'
  | 'child-process'
  | 'worker'
  | 'import';
