import type { CliIo } from './cli-io.ts';

/**
 * Whether to colour: `--no-color` and `--color` first, then `NO_COLOR` (https://no-color.org) and `FORCE_COLOR`, then whether it is a
 * terminal that can.
 *
 * @param flag - what `--color` or `--no-color` said
 */
export function useColor(flag: boolean | undefined, { stdout, env }: Pick<CliIo, 'stdout' | 'env'>): boolean {
  if (flag !== undefined) return flag;
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}
