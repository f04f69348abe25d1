import { isIP } from 'node:net';

/**
 * Whether a `Host` header is one that a collector without a token answers to: an IP address, `localhost`, or a name that was allowed.
 * Without this a page on the web could have its own name resolve to 127.0.0.1 and read the dumps (DNS rebinding).
 *
 * @param header - as received
 * @param allowed - further names
 */
export function isAllowedHost(header: string | undefined, allowed: readonly string[]): boolean {
  if (header === undefined) return false;
  const name = header.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return name === 'localhost' || name.endsWith('.localhost') || allowed.some((host) => host.toLowerCase() === name);
}
