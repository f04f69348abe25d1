import type { Dump } from '@hangwatch/protocol';

/**
 * What a report begins with: `HANG (no progress)`, `DEADLOCK (proven)`, `BLOCKED (event loop)`, `RECOVERED`, `GONE`, `SNAPSHOT`, `SHUTDOWN`, `CRASH`,
 * `SUPPRESSED`, `SELF-TEST`.
 */
export function headline(dump: Pick<Dump, 'kind' | 'verdict' | 'selfTest'>): string {
  if (dump.selfTest === true) return dump.kind === 'hang' ? 'SELF-TEST' : `SELF-TEST ${dump.kind.toUpperCase()}`;
  if (dump.kind === 'loop-block') return 'BLOCKED (event loop)';
  if (dump.kind !== 'hang') return dump.kind.toUpperCase();
  switch (dump.verdict.evidence) {
    case 'proven-cycle':
      return 'DEADLOCK (proven)';
    case 'proven-unreachable':
      return 'HANG (proven)';
    case 'slow':
      return 'SLOW';
    default:
      return `HANG (${dump.verdict.evidence.replaceAll('-', ' ')})`;
  }
}

/** How bad it is, for colours and sorting. */
export function severity(dump: Pick<Dump, 'kind' | 'verdict' | 'selfTest'>): 'alarm' | 'warning' | 'relief' {
  if (dump.kind === 'recovered' || dump.kind === 'snapshot' || dump.selfTest === true) return 'relief';
  const weak =
    dump.kind === 'gone' ||
    dump.kind === 'shutdown' ||
    dump.kind === 'suppressed' ||
    dump.verdict.evidence === 'slow' ||
    dump.verdict.evidence === 'chain-stalled';
  return weak ? 'warning' : 'alarm';
}
