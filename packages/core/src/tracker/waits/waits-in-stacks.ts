import type { AwaitStack } from '@hangwatch/async-hooks-helpers';
import type { DumpWait } from '@hangwatch/protocol';
import type { OutboundType } from '../../shared/outbound-types.ts';

type Frame = AwaitStack['frames'][number];

const LOADER = /^node:internal\/modules\/esm\//;
const FILES = 'node:internal/fs/promises';
/** Node's own copy, and undici's in any folder. */
const FETCH = /^node:internal\/deps\/undici\/|[\\/]undici[\\/]lib[\\/]web[\\/]fetch[\\/]/;

/**
 * Outbound work that is to be seen in await stacks: in the frames of Node's own async functions, innermost in the stack of whoever calls them.
 *
 * @param known what is known of the same request already: an import, or a fetch, that told of itself is not told twice
 */
export function waitsInStacks(stacks: readonly AwaitStack[], known: readonly DumpWait[]): DumpWait[] {
  const waits: DumpWait[] = [];
  let calls = known.filter(({ type }) => type === 'http').length;
  for (const { frames, ageMs } of stacks) {
    const found = inFrames(frames);
    if (found === undefined) continue;
    if (found.type === 'import' && known.some(({ type }) => type === 'import')) continue;
    // As many fetches as calls: all of them got as far as a connection of their own.
    if (found.type === 'http' && calls-- > 0) continue;
    waits.push({ ...found, sinceMs: ageMs });
  }
  return waits;
}

/** Whether one of the stacks goes through the loader of modules. */
export const isImporting = (stacks: readonly AwaitStack[]): boolean =>
  stacks.some(({ frames }) => frames.some(({ file }) => LOADER.test(file)));

function inFrames(frames: readonly Frame[]): { type: OutboundType; label: string } | undefined {
  const [innermost] = frames;
  if (innermost === undefined) return undefined;
  if (innermost.file === FILES) {
    const outermost = lastOf(frames, ({ file }) => file === FILES);
    const [inner, outer] = [bareName(innermost), bareName(outermost)];
    return { type: 'fs', label: `fs.${outer}${inner === outer ? '' : `, in ${inner}`}, not finished` };
  }
  if (LOADER.test(innermost.file)) {
    const loader = lastOf(frames, ({ file }) => LOADER.test(file));
    const importer = frames[frames.indexOf(loader) + 1];
    if (!frames.some(({ function: name }) => /^(import|onImport\b.*)$/.test(name)) || importer === undefined)
      return undefined;
    return { type: 'import', label: `import at line ${importer.line} of ${importer.file.replace(/^.*[\\/]/, '')}` };
  }
  if (FETCH.test(innermost.file) && innermost.function === 'httpNetworkFetch')
    return { type: 'http', label: 'fetch, in the queue of its dispatcher or sent from there, no response headers' };
  return undefined;
}

/** The last of the frames, from the innermost on, that belong together. */
function lastOf(frames: readonly Frame[], belongs: (frame: Frame) => boolean): Frame {
  const end = frames.findIndex((frame) => !belongs(frame));
  return frames[(end === -1 ? frames.length : end) - 1] as Frame;
}

/** `readFile` of `Object.readFile`. */
const bareName = ({ function: name }: Frame): string => name.replace(/^(?:Object|async)[. ]/, '');
