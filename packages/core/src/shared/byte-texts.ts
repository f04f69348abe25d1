import type { ClientEvidence } from './worker-protocol.ts';

/** `612 bytes`, `10,000 bytes`. */
function bytesText(bytes: number): string {
  return `${bytes.toLocaleString('en')} bytes`;
}

/** `612 of 10,000 bytes`, as far as the two are known: `612 bytes` (of a length that was not announced), `not all of 10,000 bytes`. */
export function uploadText({ got, announced }: NonNullable<ClientEvidence['upload']>): string {
  if (announced === undefined) return got === undefined ? 'not all bytes' : bytesText(got);
  return got === undefined
    ? `not all of ${bytesText(announced)}`
    : `${got.toLocaleString('en')} of ${bytesText(announced)}`;
}

/** `65,536 bytes`, or `up to` as many. */
export function unreadText({ unreadBytes, unreadAtMost }: ClientEvidence): string {
  return `${unreadAtMost === true ? 'up to ' : ''}${bytesText(unreadBytes)}`;
}
