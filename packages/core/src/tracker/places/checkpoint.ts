import { fileURLToPath } from 'node:url';
import { callSites } from '../evidence/call-sites.ts';
import { existingTracker } from '../process/process-tracker.ts';
import { keepData } from './keep-data.ts';
import { labelText } from './label-text.ts';
import type { Site, SitePlace } from './site.ts';

/** Labels told apart; further ones (made of order numbers, say) would fill the table of texts, where routes have their place too. */
const MAX_LABELS = 1_000;
const FURTHER_LABELS = 'other checkpoints';
/** By tracker: ids are those of one tracker's string table. */
const sitesOf = new WeakMap<object, Map<string, Site>>();

/**
 * Marks that the current request got here: it counts as progress, and the last 16 labels are in the dump if the request hangs later. Outside
 * a request it does nothing. The file and line shown are those of the first call with the label, so give each place its own.
 *
 * @param label short and constant; at most 200 characters are kept. Past 1,000 labels further ones are
 * all shown as `other checkpoints`
 * @param data what to show with it: scalars, plain objects and arrays, three levels deep and 64 values in all. It is copied here and now,
 * so nothing is kept alive; names that look like a secret's (`password`, `token`, `cookie`, `card` …) are redacted in the dump
 * @example
 * checkpoint('charged the card', { orderId });
 */
export function checkpoint(label: string, data?: unknown): void {
  const tracker = existingTracker();
  const record = tracker?.current();
  if (tracker === undefined || record === undefined) return;
  const sites = sitesOf.get(tracker) ?? new Map<string, Site>();
  if (sites.size === 0) sitesOf.set(tracker, sites);
  const text = labelText(label);
  let site = sites.get(text);
  if (site === undefined) {
    const isFurther = sites.size >= MAX_LABELS;
    site = isFurther ? tracker.site(FURTHER_LABELS) : tracker.site(text, callerOf(checkpoint));
    if (!isFurther) sites.set(text, site);
  }
  record.enterSite(site);
  tracker.recorder.checkpoint(record.id, site.id);
  if (data !== undefined) record.trail.attach(keepData(data));
}

/** Names that are no path, such as a file: URL with a host, stay as they are. */
function toPath(file: string): string {
  if (!file.startsWith('file:')) return file;
  try {
    return fileURLToPath(file);
  } catch {
    return file;
  }
}

function callerOf(fn: typeof checkpoint): SitePlace | undefined {
  const [site] = callSites(fn, 1);
  const file = site?.getFileName();
  return file === null || file === undefined
    ? undefined
    : { file: toPath(file), line: site?.getLineNumber() ?? 0, column: site?.getColumnNumber() ?? 0 };
}
