import { createHash, timingSafeEqual } from 'node:crypto';

/** Decides by the `Authorization` header alone. */
export interface TokenGuard {
  /** `Bearer TOKEN`. */
  allowsBearer(header: string | undefined): boolean;
  /** `Basic` with the token as password and any user name: what a browser asks a person for. */
  allowsBasic(header: string | undefined): boolean;
}

/** The guard of a collector that has no token. */
const openDoor: TokenGuard = { allowsBearer: () => true, allowsBasic: () => true };

/**
 * Makes the guard for a token. Comparison takes as long whatever is presented: both sides are hashed to one length, and
 * compared in constant time.
 */
export function tokenGuard(token: string | undefined): TokenGuard {
  if (token === undefined) return openDoor;
  const expected = sha256(token);
  const matches = (presented: string | undefined) =>
    timingSafeEqual(sha256(presented ?? ''), expected) && presented !== undefined;
  return {
    allowsBearer: (header) => matches(credentials(header, 'bearer')),
    allowsBasic: (header) => {
      const encoded = credentials(header, 'basic');
      const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
      const colon = pair.indexOf(':');
      return matches(colon === -1 ? undefined : pair.slice(colon + 1));
    },
  };
}

function credentials(header: string | undefined, scheme: 'bearer' | 'basic'): string | undefined {
  const match = /^([A-Za-z]+) +(\S+) *$/.exec(header ?? '');
  return match?.[1]?.toLowerCase() === scheme ? match[2] : undefined;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
