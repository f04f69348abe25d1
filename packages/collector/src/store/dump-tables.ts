import type { DumpKind, Evidence } from '@hangwatch/protocol';
import type { Generated, Insertable, Selectable } from 'kysely';

/** The tables of a store in SQL, whichever the dialect. */
export interface DumpTables {
  dumps: DumpTable;
}

/** One row a dump. Texts other than `body` are what lists show: cut, and without control characters. */
export interface DumpTable {
  position: Generated<number>;
  id: string;
  kind: DumpKind;
  at: string;
  /** Milliseconds since 1970. */
  received_at: number;
  service: string;
  hostname: string;
  pid: number;
  evidence: Evidence;
  summary: string;
  fingerprint: string | null;
  stuck: number;
  in_flight: number;
  size: number;
  /** The dump as JSON. */
  body: string;
}

/** A row to insert. */
export type NewDumpRow = Insertable<DumpTable>;

/** A row as a list reads it. */
export type DumpRow = Omit<Selectable<DumpTable>, 'body'>;
