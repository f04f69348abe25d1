import type { ClaimResult, PutResult, PutState, Spool } from './spool.ts';
import type { StaleRecord } from './spool-entries.ts';

/** The spool as the delivery sees it, wherever its disk work is done. Every method may reject with a SpoolError. */
export interface SpoolPort {
  /** Whether the disk work is done in this thread, as far as is known: then a disk that hangs hangs it. */
  readonly inThread: boolean;
  /** Stores a parcel. */
  put(gzip: Buffer, as: PutState): Promise<PutResult>;
  /** Takes the next parcel to post, `abandoned` records of others included. */
  claim(abandoned?: readonly StaleRecord[]): Promise<ClaimResult>;
  /** Gives back a claim whose post failed. */
  release(file: string): Promise<void>;
  /** Removes a claim whose dump has arrived. */
  discard(file: string): Promise<void>;
  /** Keeps a claim that nobody shall post again. */
  setAside(file: string, as: 'rejected' | 'bad'): Promise<void>;
  /** Keeps the record of this process, in place of the one before: posted by others once this process is gone. */
  keepRecord(gzip: Buffer): Promise<void>;
  /** Removes the record of this process. */
  forgetRecord(): Promise<void>;
  /** Lets go of what the port holds; what has been asked for is still done. */
  close(): void;
}

/**
 * The spool in this thread: the disk work is done before the call returns. Simple, and immediate; but a disk that hangs
 * blocks the thread, and with it process.exit. See spoolInProcess.
 */
export function spoolInThread(spool: Spool): SpoolPort {
  return {
    inThread: true,
    put: async (gzip, as) => spool.put(gzip, as),
    claim: async (abandoned) => spool.claim(abandoned),
    release: async (file) => spool.release(file),
    discard: async (file) => spool.discard(file),
    setAside: async (file, as) => spool.setAside(file, as),
    keepRecord: async (gzip) => spool.record.keep(gzip),
    forgetRecord: async () => spool.record.forget(),
    close: () => undefined,
  };
}
