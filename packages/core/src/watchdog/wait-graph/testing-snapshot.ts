import type { Claim, Party, SharedResource } from '../../shared/wait-snapshot.ts';

/** A request that only waits. */
export const request = (number: number, parts: Partial<Party> = {}): Party => ({
  kind: 'request',
  request: number,
  name: `GET /${number}`,
  waitsOnly: true,
  ...parts,
});

export const lock = (name: string, parts: Partial<SharedResource> = {}): SharedResource => ({
  type: 'lock',
  name,
  capacity: 1,
  reentrant: false,
  fair: false,
  trusted: true,
  endedBy: [],
  ...parts,
});

const claim = (party: number, resource: number, parts: Partial<Claim>): Claim => ({
  party,
  resource,
  state: 'held',
  amount: 1,
  sinceMs: 1_000,
  mayEndBy: undefined,
  timesOutMs: undefined,
  site: undefined,
  ...parts,
});

/** Party and resource are indexes. */
export const hold = (party: number, resource: number, parts: Partial<Claim> = {}): Claim =>
  claim(party, resource, { ...parts, state: 'held' });

export const wait = (party: number, resource: number, parts: Partial<Claim> = {}): Claim =>
  claim(party, resource, { ...parts, state: 'waiting' });
