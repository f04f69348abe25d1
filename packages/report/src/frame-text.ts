import type { DumpFrame } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { displayPath } from './display-path.ts';

/**
 * One frame as V8 prints it: `at async log (src/lib.ts:3:47)`, safe to print.
 *
 * @param frame - the call site
 * @param cwd - working directory, to make its path relative to
 */
export function frameText(frame: DumpFrame, cwd?: string): string {
  const name = cleanText(frame.function, 100);
  const place =
    frame.promiseIndex === undefined
      ? placeText(frame.file, frame.line, frame.column, cwd)
      : `index ${frame.promiseIndex}`;
  const prefix = frame.async ? 'at async' : 'at';
  if (name === '') return `${prefix} ${place || '(unknown)'}`;
  return place === '' ? `${prefix} ${name}` : `${prefix} ${name} (${place})`;
}

/**
 * A place in a file: `src/lib.ts:3:47`, without what is 0 or not known.
 *
 * @param file - path or URL
 * @param cwd - working directory, to make the path relative to
 */
export function placeText(file: string, line?: number, column?: number, cwd?: string): string {
  const position = [line, column].filter((part) => part !== undefined && part > 0);
  return [displayPath(file, cwd), ...(line ? position : [])].join(':');
}
