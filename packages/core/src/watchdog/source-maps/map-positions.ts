import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  FlattenMap,
  isIgnored,
  LEAST_UPPER_BOUND,
  type Needle,
  originalPositionFor,
  type SectionedSourceMapInput,
  type TraceMap,
} from '@jridgewell/trace-mapping';
import type { MapResult, MapTask, ScriptPosition, SourcePosition } from './map-protocol.ts';
import { MAX_FILE_BYTES, type ReadFile, readBounded } from './read-bounded.ts';
import { sourceMappingUrl } from './source-mapping-url.ts';
import { sourceName } from './source-name.ts';

interface FoundMap {
  readonly text: string;
  /** What its sources are relative to. */
  readonly url: string;
  readonly writtenAtMs: number;
}

/**
 * Maps positions of one script to the sources that its source map names: an inline map, or a file beside it; nothing is fetched. Runs in
 * the map process, where a map that is too much for it kills nobody else.
 *
 * @throws whatever a hostile map makes its parser throw
 */
export function mapPositions({ script, positions, cwd }: MapTask): MapResult {
  const read = readBounded(script);
  if (typeof read === 'string') return {};
  const reference = sourceMappingUrl(read.text);
  if (reference === undefined) return {};
  const found = findMap(reference, script, read);
  if (typeof found === 'string') return { problem: found };
  let map: TraceMap;
  try {
    map = parse(found);
  } catch {
    // The parser's message quotes the file, which may be any file: it is not repeated.
    return { problem: 'its source map is broken' };
  }
  return { positions: positions.map((position) => sourceOf(map, position, cwd)), writtenAtMs: found.writtenAtMs };
}

function findMap(reference: string, script: string, { writtenAtMs }: ReadFile): FoundMap | string {
  const scriptUrl = pathToFileURL(script).href;
  const inline = /^data:([^,]*),/.exec(reference);
  if (inline !== null) {
    const data = reference.slice(inline[0].length);
    const text = /;base64$/i.test(inline[1] ?? '')
      ? Buffer.from(data, 'base64').toString('utf8')
      : decodeURIComponent(data);
    return { text, url: scriptUrl, writtenAtMs };
  }
  const url = URL.canParse(reference, scriptUrl) ? new URL(reference, scriptUrl) : undefined;
  if (url?.protocol !== 'file:' || url.host !== '') return 'its source map is not a file beside it, and is not fetched';
  const read = readBounded(fileURLToPath(url));
  if (read === 'missing') return 'the source map that it names is not there';
  if (read === 'unreadable') return 'its source map cannot be read';
  if (read === 'too large') return `its source map is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`;
  return { text: read.text, url: url.href, writtenAtMs: Math.max(writtenAtMs, read.writtenAtMs) };
}

function parse({ text, url }: FoundMap): TraceMap {
  // A map may begin with `)]}'`, so that no browser takes it for a script.
  const json = text.startsWith(")]}'") ? text.slice(text.indexOf('\n')) : text;
  const map: unknown = JSON.parse(json, (key, value: unknown) => (key === 'sourcesContent' ? undefined : value));
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw new TypeError('no source map');
  return FlattenMap(map as SectionedSourceMapInput, url);
}

function sourceOf(map: TraceMap, [line, column]: ScriptPosition, cwd: string): SourcePosition | null {
  // Of a place whose column is not known, the first thing on its line.
  const needle: Needle = column > 0 ? { line, column: column - 1 } : { line, column: 0, bias: LEAST_UPPER_BOUND };
  const original = originalPositionFor(map, needle);
  // Not `=== null`: an index that is in no list of sources gives `undefined`, whatever the types say.
  if (typeof original.source !== 'string' || !isPosition(original.line) || !isPosition(original.column + 1))
    return null;
  const name = sourceName(original.source, cwd);
  const kind = name.kind === 'app' && isIgnored(map, original.source) ? 'dependency' : name.kind;
  return { ...name, line: original.line, column: original.column + 1, kind };
}

/** A broken map may say anything. */
const isPosition = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
