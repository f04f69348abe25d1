import { closeSync, openSync } from 'node:fs';
import { Kysely, Migrator, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { HangwatchCollectorError } from '../../collector-error.ts';
import { dumpMigrations } from '../dump-migrations.ts';
import type { DumpStore } from '../dump-store.ts';
import type { DumpTables } from '../dump-tables.ts';
import { SqlDumpStore } from '../sql-dump-store.ts';
import { translateSqliteError } from './translate-sqlite-error.ts';

/**
 * Opens the store in a SQLite file, makes the file where it is missing (readable by its owner only), and brings its tables up to date.
 *
 * @param file - path, or `':memory:'`
 * @throws HangwatchCollectorError `HANGWATCH_ERR_STORE_OPEN`
 * @example
 * ```ts
 * const store = await openSqliteStore('/var/lib/hangwatch/hangwatch.db');
 * ```
 */
export async function openSqliteStore(file: string): Promise<DumpStore> {
  const database = openDatabase(file);
  const db = new Kysely<DumpTables>({ dialect: new SqliteDialect({ database }) });
  const { error } = await new Migrator({ db, provider: dumpMigrations }).migrateToLatest();
  if (error !== undefined) {
    await db.destroy();
    throw openError(file, error);
  }
  return new SqlDumpStore(db, {
    translateError: translateSqliteError,
    afterPrune: () => void database.pragma('incremental_vacuum'),
  });
}

function openDatabase(file: string): Database.Database {
  try {
    // libsql would make it readable for everybody; dumps tell of an application's insides.
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
    const database = new Database(file);
    database.pragma('auto_vacuum = INCREMENTAL'); // takes effect only before the first table
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL'); // in WAL mode only FULL survives a power cut, and what is acknowledged must
    database.pragma('busy_timeout = 5000');
    return database;
  } catch (cause) {
    throw openError(file, cause);
  }
}

function openError(file: string, cause: unknown): HangwatchCollectorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HangwatchCollectorError(
    'HANGWATCH_ERR_STORE_OPEN',
    `cannot open the database ${JSON.stringify(file)}: ${reason}`,
    {
      cause,
    },
  );
}
