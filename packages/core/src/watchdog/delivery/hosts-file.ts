import { closeSync, openSync, readSync } from 'node:fs';
import { isIP } from 'node:net';

const MAX_BYTES = 256 * 1024;

/**
 * The addresses that a hosts file gives a name, in the file's order; empty if none.
 *
 * @example
 * addressesInHosts('10.0.0.7 collector collector.internal # ours', 'collector'); // ['10.0.0.7']
 */
export function addressesInHosts(text: string, host: string): string[] {
  const wanted = host.toLowerCase();
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    if (isIP(address) !== 0 && names.some((name) => name.toLowerCase() === wanted)) found.push(address);
  }
  return found;
}

/** The system's hosts file, at most 256 KiB of it; '' where there is none to read. */
export function readHostsFile(): string {
  const { SystemRoot } = process.env;
  const path =
    process.platform === 'win32' ? `${SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const buffer = Buffer.allocUnsafe(MAX_BYTES);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, MAX_BYTES, 0));
  } catch {
    return ''; // Containers often have none: the name server then knows the name, or nobody does.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
