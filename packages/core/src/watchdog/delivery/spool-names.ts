import { randomBytes } from 'node:crypto';

/**
 * A spool file's name says all that is known about it without opening it, so that every change of state is one rename:
 *
 *     <time>-<destination>-<tries>-<instance>-<random>.<state>
 *     state: tmp | live | json.gz | json.gz.claim-<time>-<claimer> | json.gz.rejected | json.gz.bad
 *
 * Times are wall-clock milliseconds, base 36, nine digits: names sort by age.
 */
export interface SpoolName {
  readonly writtenAt: number;
  /** Which collectors the dump is meant for. */
  readonly destination: string;
  /** Posts that failed. */
  readonly tries: number;
  /** The process start that wrote it. */
  readonly instance: string;
  readonly random: string;
  readonly state: SpoolState;
}

/** Where a file is in its life. */
export type SpoolState =
  | { readonly kind: 'unfinished' }
  /** The record of a process that lives, as long as the file is kept fresh. */
  | { readonly kind: 'live' }
  | { readonly kind: 'ready' }
  /** Somebody is posting it; when the lease has run out, anybody may take it over. */
  | { readonly kind: 'claimed'; readonly claimedAt: number; readonly claimer: string }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'bad' };

const PATTERN =
  /^([0-9a-z]{9})-([0-9a-f]{8})-([0-9a-z]{2})-([A-Za-z0-9]{1,40})-([0-9a-f]{24})\.(?:(tmp|live)|json\.gz(?:\.(rejected|bad)|\.claim-([0-9a-z]{9})-([A-Za-z0-9]{1,40}))?)$/;
const MAX_TRIES = 36 * 36 - 1;

/** A new name, unpredictable. */
export function newSpoolName(writtenAt: number, destination: string, instance: string): SpoolName {
  const random = randomBytes(12).toString('hex');
  return { writtenAt, destination, tries: 0, instance, random, state: { kind: 'unfinished' } };
}

/** The file name of a spool name. */
export function formatSpoolName(name: SpoolName): string {
  const tries = Math.min(name.tries, MAX_TRIES).toString(36).padStart(2, '0');
  const stem = `${time36(name.writtenAt)}-${name.destination}-${tries}-${name.instance}-${name.random}`;
  const { state } = name;
  switch (state.kind) {
    case 'unfinished':
      return `${stem}.tmp`;
    case 'live':
      return `${stem}.live`;
    case 'ready':
      return `${stem}.json.gz`;
    case 'claimed':
      return `${stem}.json.gz.claim-${time36(state.claimedAt)}-${state.claimer}`;
    case 'rejected':
    case 'bad':
      return `${stem}.json.gz.${state.kind}`;
  }
}

/** Reads a file name; undefined for a file that is none of ours. */
export function parseSpoolName(file: string): SpoolName | undefined {
  const match = PATTERN.exec(file);
  if (!match) return undefined;
  const [, written = '', destination = '', tries = '', instance = '', random = '', early, aside, claimed, claimer] =
    match;
  let state: SpoolState = { kind: 'ready' };
  if (early === 'tmp') state = { kind: 'unfinished' };
  else if (early === 'live') state = { kind: 'live' };
  else if (aside === 'rejected' || aside === 'bad') state = { kind: aside };
  else if (claimed && claimer) state = { kind: 'claimed', claimedAt: Number.parseInt(claimed, 36), claimer };
  return {
    writtenAt: Number.parseInt(written, 36),
    destination,
    tries: Number.parseInt(tries, 36),
    instance,
    random,
    state,
  };
}

/** An instance id as it may stand in a name: letters and digits, 1 to 40 of them. */
export function namePart(instance: string): string {
  return instance.replace(/[^A-Za-z0-9]/g, '').slice(0, 40) || 'unnamed';
}

function time36(ms: number): string {
  return Math.max(0, Math.floor(ms)).toString(36).padStart(9, '0').slice(-9);
}
