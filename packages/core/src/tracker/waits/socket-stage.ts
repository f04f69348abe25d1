import type { Socket } from 'node:net';

/** Fields of sockets that are read when a dump asks. `_host` is Node's own note of the name being looked up. */
interface ConnectingSocket extends Socket {
  readonly _host?: unknown;
  readonly secureConnecting?: boolean;
  readonly servername?: unknown;
}

/** Where a socket was last told to connect to. */
export interface Attempt {
  readonly address: string;
  readonly port: number | undefined;
}

/** What a socket is waiting for before it can be used, or `undefined` when it is connected or closed. */
export function socketStage(socket: Socket, attempt: Attempt | undefined): string | undefined {
  if (socket.destroyed) return undefined;
  const { _host: host, secureConnecting } = socket as ConnectingSocket;
  if (socket.connecting) {
    if (attempt !== undefined) return `connect ${addressText(attempt)}, no answer`;
    return typeof host === 'string' && host !== '' ? `DNS lookup of ${host}` : 'connect, no answer';
  }
  if (secureConnecting !== true) return undefined;
  const { remoteAddress, remotePort } = socket;
  return `TLS handshake${remoteAddress === undefined ? '' : ` with ${addressText({ address: remoteAddress, port: remotePort })}`}, no answer`;
}

function addressText({ address, port }: Attempt): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
