import path from 'node:path';
import genericPool from 'generic-pool';
import Database from 'libsql';

const file = path.join(process.env.DATA_DIR ?? '.', 'shop.db');

/** Creates the tables and their first rows. */
export function migrate() {
  const database = new Database(file);
  database.exec(`
    CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, pieces INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS invoices (id TEXT PRIMARY KEY, cents INTEGER NOT NULL);
    INSERT OR IGNORE INTO stock VALUES ('lamp', 12), ('chair', 3);
    INSERT OR IGNORE INTO invoices VALUES ('2041', 4990), ('2042', 12900);
  `);
  database.close();
}

/** A pool of connections. Who acquires one has to release it. */
export function openPool(connections) {
  return genericPool.createPool(
    {
      create: async () => new Database(file),
      destroy: async (connection) => connection.close(),
    },
    { max: connections },
  );
}
