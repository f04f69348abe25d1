import type { ResolvedOptions } from '../resolve-options.ts';
import type { DumpStore } from '../store/dump-store.ts';
import type { DumpFeed } from './dump-feed.ts';

/** What the routes work with. */
export interface CollectorContext {
  readonly store: DumpStore;
  readonly feed: DumpFeed;
  readonly limits: ResolvedOptions['limits'];
}
