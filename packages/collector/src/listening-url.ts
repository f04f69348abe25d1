import type { AddressInfo } from 'node:net';

/**
 * The URL of a listening server, as somebody on this machine can open it.
 *
 * @param address - what `server.address()` returned
 * @param host - the host that was asked for
 */
export function listeningUrl(address: AddressInfo | string | null, host: string): string {
  if (address === null || typeof address === 'string') return `http://${host}`;
  // `localhost` listens on both address families; the name stays right for both.
  const name = host === 'localhost' ? host : reachable(address);
  return `http://${name}:${address.port}`;
}

function reachable({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return family === 'IPv6' ? `[${address}]` : address;
}
