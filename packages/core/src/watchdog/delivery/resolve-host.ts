import { type LookupAddress, lookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { addressesInHosts, readHostsFile } from './hosts-file.ts';

/** An address a host name stands for. */
export type HostAddress = LookupAddress;

/** The three sources of addresses; injectable for tests. */
export interface NameSources {
  /** Text of the hosts file. */
  hosts(): string;
  /** Asks the name servers directly: no thread pool. Rejects with a `code` of node:dns. */
  query(host: string): Promise<HostAddress[]>;
  /** The operating system's own look-up, on libuv's thread pool. */
  system(host: string): Promise<HostAddress[]>;
}

// The name server has answered, and the answer was no.
const ANSWERED_NO = new Set(['ENOTFOUND', 'ENODATA', 'EFORMERR', 'ENOTIMP', 'EREFUSED', 'EBADNAME', 'ESERVFAIL']);

/**
 * Finds a host's addresses, IPv4 first, without depending on libuv's thread pool where that can be had:
 *
 * 1. literal addresses and `localhost` need no look-up,
 * 2. then the hosts file,
 * 3. then the name servers, over this thread's own sockets (c-ares),
 * 4. and only when a name server has *answered* that it knows no such name, `getaddrinfo`, which also knows search
 *    domains, mDNS and the like.
 *
 * `getaddrinfo` is kept for last because it occupies one of the process's four pool threads, which process.exit joins:
 * with name servers that do not answer, it delays the exit by 10 seconds (measured, Node 20.20, one server in
 * resolv.conf). A server that has just answered does not do that.
 *
 * @throws the error of the source that was asked last
 */
export async function resolveHost(host: string, sources: NameSources = systemSources): Promise<HostAddress[]> {
  const known = withoutLookup(host);
  if (known) return known;
  const inFile = addressesInHosts(sources.hosts(), host).map(toAddress);
  if (inFile.length > 0) return inFile;
  try {
    const answered = await sources.query(host);
    if (answered.length > 0) return answered;
  } catch (error) {
    if (!ANSWERED_NO.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return sources.system(host);
}

/** The addresses of a literal address or of `localhost`; undefined for every other name. */
export function withoutLookup(host: string): HostAddress[] | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return [toAddress(bare)];
  // https://www.rfc-editor.org/rfc/rfc6761#section-6.3: localhost names are loopback, whoever is asked.
  if (/^(.*\.)?localhost\.?$/i.test(host)) return [toAddress('127.0.0.1'), toAddress('::1')];
  return undefined;
}

function toAddress(address: string): HostAddress {
  return { address, family: isIP(address) === 6 ? 6 : 4 };
}

const systemSources: NameSources = {
  hosts: readHostsFile,
  async query(host) {
    const resolver = new Resolver({ timeout: 1_500, tries: 2 });
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = [four, six].flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    // No IPv6 address is the usual case, not a failure; what IPv4 says counts.
    if (addresses.length === 0 && four.status === 'rejected') throw four.reason;
    return addresses.map(toAddress);
  },
  system: (host) =>
    new Promise((resolve, reject) => {
      lookup(host, { all: true, order: 'ipv4first' }, (error, addresses) => {
        if (error) reject(error);
        else resolve(addresses);
      });
    }),
};
