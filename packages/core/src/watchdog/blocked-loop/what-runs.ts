import type { BlockCause, DumpFrame } from '@hangwatch/protocol';
import { placeOf } from '../diagnosis/places.ts';

/** What a synchronous stack says. */
export interface Running {
  readonly cause: BlockCause;
  /** `runs execSync`, without where. */
  readonly what: string;
}

/** Methods that run a regular expression. */
const REGULAR_EXPRESSION = /^(test|exec|match|matchAll|replace|replaceAll|search|split)\s*\(/;
/** Built-in functions that take their time, as the source names them at the position where V8 says that the thread is. */
const BUILT_IN = /^(?:JSON\s*\.\s*)?(parse|stringify|structuredClone|sort|deserialize|serialize|fill|join)\s*\(/;
const CHILD_PROCESS = /^(exec|execFile|spawn)Sync$/;
const FILE_SYSTEM = /node:fs|internal\/fs/;
const COMPUTING = /node:(crypto|zlib|v8|vm|internal\/crypto|internal\/vm)|^(crypto|zlib)/;

/**
 * What the code does, from its stack.
 *
 * @param source the source at the innermost frame's position, as far as its line goes; `''` where it is not known
 * @param late the stack was taken as native code returned
 */
export function whatRuns(stack: readonly DumpFrame[], source: string, late: boolean): Running {
  const api = nodeApiOf(stack);
  if (api !== undefined) {
    if (CHILD_PROCESS.test(api.function))
      return { cause: 'child-process', what: `waits for a child process (${api.function})` };
    if (FILE_SYSTEM.test(api.file)) return { cause: 'file-system', what: `is in a file system call (${api.function})` };
    if (late || COMPUTING.test(api.file)) return { cause: 'native-call', what: `is in native code (${nameOf(api)})` };
  }
  if (late) return { cause: 'native-call', what: 'was in native code' };
  if (/^wait\s*\(/.test(source)) return { cause: 'thread-wait', what: 'waits for another thread (Atomics.wait)' };
  const method = REGULAR_EXPRESSION.exec(source)?.[1];
  if (method !== undefined) return { cause: 'regular-expression', what: `runs a regular expression (${method})` };
  const builtIn = BUILT_IN.exec(source)?.[1];
  if (builtIn !== undefined) return { cause: 'native-call', what: `is in native code (${builtIn})` };
  return { cause: 'javascript', what: 'runs JavaScript' };
}

/**
 * ` in parse (src/parse.ts:31:20)`, or nothing. Of native code that the application called by itself, and that had returned, it is only known
 * where the thread went on.
 */
export function placeText(stack: readonly DumpFrame[], cwd: string, late: boolean): string {
  const place = placeOf([stack]);
  if (place === undefined) return '';
  const file = place.file.startsWith(`${cwd}/`) ? place.file.slice(cwd.length + 1) : place.file;
  const where = late && nodeApiOf(stack) === undefined ? ', and went on in' : ' in';
  return `${where} ${place.function || '(anonymous)'} (${file}:${place.line}:${place.column})`;
}

/** What V8 calls it says nothing to those who call it `gzipSync`, `inflateSync` and so on. */
const nameOf = (api: DumpFrame) => (api.function === 'syncBufferWrapper' ? 'zlib' : api.function);

/** Node's own function that the application called: the last of Node's frames before the first of other code. */
function nodeApiOf(stack: readonly DumpFrame[]): DumpFrame | undefined {
  const first = stack.findIndex(({ kind }) => kind !== 'node');
  return first <= 0 ? undefined : stack[first - 1];
}
