import type { Kysely, Migration, MigrationProvider } from 'kysely';

// A migration that has been released is never edited: the next one amends it.
const migrations: Record<string, Migration> = {
  '001-dumps': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('dumps')
        // AUTOINCREMENT: the position of a deleted dump is never given to another.
        .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('at', 'text', (column) => column.notNull())
        .addColumn('received_at', 'bigint', (column) => column.notNull())
        .addColumn('service', 'text', (column) => column.notNull())
        .addColumn('hostname', 'text', (column) => column.notNull())
        .addColumn('pid', 'bigint', (column) => column.notNull())
        .addColumn('evidence', 'text', (column) => column.notNull())
        .addColumn('summary', 'text', (column) => column.notNull())
        .addColumn('fingerprint', 'text')
        .addColumn('stuck', 'integer', (column) => column.notNull())
        .addColumn('in_flight', 'integer', (column) => column.notNull())
        .addColumn('size', 'integer', (column) => column.notNull())
        // Last: SQLite reads a row from its beginning, and lists don't need the body.
        .addColumn('body', 'text', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('dumps_received_at').on('dumps').column('received_at').execute();
    },
  },
};

/** The steps that bring a SQL store's tables up to date. */
export const dumpMigrations: MigrationProvider = { getMigrations: async () => migrations };
