import { HangwatchCollectorError } from '../../collector-error.ts';

/** The collector's error for one of SQLite's: a full disk is told from any other failure. */
export function translateSqliteError(error: unknown): unknown {
  if (error instanceof HangwatchCollectorError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('SQLITE_FULL')) {
    return new HangwatchCollectorError('HANGWATCH_ERR_STORE_FULL', 'the disk of the store is full', { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new HangwatchCollectorError('HANGWATCH_ERR_STORE', `the store failed: ${reason}`, { cause: error });
}
