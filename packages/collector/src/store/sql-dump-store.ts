import type { Kysely } from 'kysely';
import { rowOf, storedDumpOf } from './dump-row.ts';
import type { AddResult, DumpStore, ListQuery, NewDump, PruneLimits, StoredDump } from './dump-store.ts';
import type { DumpTables } from './dump-tables.ts';

const LISTED = [
  'position',
  'id',
  'kind',
  'at',
  'received_at',
  'service',
  'hostname',
  'pid',
  'evidence',
  'summary',
  'fingerprint',
  'stuck',
  'in_flight',
  'size',
] as const;

// Far below every driver's limit of bound values.
const ROWS_PER_INSERT = 200;
const ROWS_PER_DELETE = 1_000;

/** What differs between databases. */
export interface SqlStoreHooks {
  /** Turns an error of the driver into the collector's own, or returns it as it is. */
  translateError(error: unknown): unknown;
  /** Gives space back after rows were deleted. */
  afterPrune(): void;
}

/** A {@link DumpStore} in any SQL database that Kysely speaks, whose tables are there already. */
export class SqlDumpStore implements DumpStore {
  readonly #db: Kysely<DumpTables>;
  readonly #hooks: SqlStoreHooks;
  #closed: Promise<void> | undefined;

  constructor(db: Kysely<DumpTables>, hooks: SqlStoreHooks) {
    this.#db = db;
    this.#hooks = hooks;
  }

  add(dumps: readonly NewDump[]): Promise<AddResult> {
    return this.#run(async () => {
      const accepted = await this.#db.transaction().execute(async (transaction) => {
        let inserted = 0;
        for (let start = 0; start < dumps.length; start += ROWS_PER_INSERT) {
          const rows = dumps.slice(start, start + ROWS_PER_INSERT).map(rowOf);
          const query = transaction.insertInto('dumps').values(rows);
          const ids = await query
            .onConflict((conflict) => conflict.column('id').doNothing())
            .returning('id')
            .execute();
          inserted += ids.length;
        }
        return inserted;
      });
      return { accepted, duplicates: dumps.length - accepted };
    });
  }

  find(id: string): Promise<StoredDump | undefined> {
    return this.#run(async () => {
      const row = await this.#db.selectFrom('dumps').select(LISTED).where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : storedDumpOf(row);
    });
  }

  list({ limit, before, after, idPrefix }: ListQuery): Promise<StoredDump[]> {
    return this.#run(async () => {
      let query = this.#db.selectFrom('dumps').select(LISTED).limit(limit);
      query = query.orderBy('position', after === undefined ? 'desc' : 'asc');
      if (before !== undefined) query = query.where('position', '<', before);
      if (after !== undefined) query = query.where('position', '>', after);
      // `~` sorts after every character that an id may hold.
      if (idPrefix !== undefined) query = query.where('id', '>=', idPrefix).where('id', '<', `${idPrefix}~`);
      return (await query.execute()).map(storedDumpOf);
    });
  }

  bodies(positions: readonly number[]): Promise<Map<number, string>> {
    return this.#run(async () => {
      if (positions.length === 0) return new Map();
      const rows = await this.#db
        .selectFrom('dumps')
        .select(['position', 'body'])
        .where('position', 'in', [...positions])
        .execute();
      return new Map(rows.map((row) => [Number(row.position), row.body]));
    });
  }

  latest(): Promise<number> {
    return this.#run(async () => {
      const row = await this.#db
        .selectFrom('dumps')
        .select((e) => e.fn.max('position').as('position'))
        .executeTakeFirst();
      return Number(row?.position ?? 0);
    });
  }

  prune(limits: PruneLimits): Promise<number> {
    return this.#run(async () => {
      const deleted = (await this.#pruneByAge(limits)) + (await this.#pruneByCount(limits));
      if (deleted > 0) this.#hooks.afterPrune();
      return deleted;
    });
  }

  check(): Promise<void> {
    return this.#run(async () => {
      await this.#db.selectFrom('dumps').select('position').limit(1).execute();
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#db.destroy();
    return this.#closed;
  }

  async #pruneByAge({ receivedBefore }: PruneLimits): Promise<number> {
    return receivedBefore === undefined ? 0 : this.#deleteBelow('received_at', receivedBefore.getTime());
  }

  async #pruneByCount({ maxDumps }: PruneLimits): Promise<number> {
    if (maxDumps === undefined) return 0;
    const newestToGo = await this.#db
      .selectFrom('dumps')
      .select('position')
      .orderBy('position', 'desc')
      .offset(maxDumps)
      .limit(1)
      .executeTakeFirst();
    return newestToGo === undefined ? 0 : this.#deleteBelow('position', Number(newestToGo.position) + 1);
  }

  /** In small pieces: no delete holds up ingest for long. */
  async #deleteBelow(column: 'position' | 'received_at', end: number): Promise<number> {
    const batch = this.#db.selectFrom('dumps').select('position').where(column, '<', end).limit(ROWS_PER_DELETE);
    let total = 0;
    for (;;) {
      const { numDeletedRows } = await this.#db.deleteFrom('dumps').where('position', 'in', batch).executeTakeFirst();
      total += Number(numDeletedRows);
      if (Number(numDeletedRows) < ROWS_PER_DELETE) return total;
    }
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#hooks.translateError(error);
    }
  }
}
