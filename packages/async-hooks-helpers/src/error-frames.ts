import type { CallSite } from './call-site.ts';
import { frameWalker } from './frame-walker.ts';
import type { FrameKind } from './script-origin.ts';

/** `at fn (file:line:column)`, `at async file:line:column`, as V8 writes them. https://v8.dev/docs/stack-trace-api */
const FRAME =
  /^ {4}at (async )?(?:(.{1,500}) \()?((?:file:|node:|webpack|[a-z]:[\\/]|\/)[^()\n]{0,2000}):(\d+):(\d+)\)?$/i;
const LONGEST_STACK = 100_000;

/**
 * Where an error was made: the frames of its `stack`, and nothing of its message, whose lines may look like frames. Empty for what is
 * no error, or has a stack in another form (an application's own `Error.prepareStackTrace`). Never throws.
 *
 * @param limit most frames
 * @default limit 50
 */
export function errorFrames(error: unknown, limit = 50): CallSite[] {
  const stack = stackBelowMessage(error);
  if (stack === undefined) return [];
  const originOf = frameWalker()?.originOf ?? ((file: string) => ({ file, kind: 'app' as FrameKind }));
  const frames: CallSite[] = [];
  for (const text of stack.split('\n')) {
    const match = FRAME.exec(text);
    if (match === null) continue;
    const { file, kind } = originOf(match[3] ?? '');
    frames.push({
      function: match[2] ?? '(anonymous)',
      file,
      line: Number(match[4]),
      column: Number(match[5]),
      async: match[1] !== undefined,
      kind,
    });
    if (frames.length === limit) break;
  }
  return frames;
}

function stackBelowMessage(error: unknown): string | undefined {
  try {
    if (typeof error !== 'object' || error === null) return undefined;
    const { stack, message } = error as { stack?: unknown; message?: unknown };
    if (typeof stack !== 'string') return undefined;
    const shown = stack.slice(0, LONGEST_STACK);
    const at = typeof message === 'string' ? shown.indexOf(message) : -1;
    if (typeof message === 'string' && at !== -1) return shown.slice(at + message.length);
    // The message was changed after the stack was taken: where the old one ends is not known, so only what follows its last other line.
    const lines = shown.split('\n');
    return lines.slice(lines.findLastIndex((line) => !FRAME.test(line)) + 1).join('\n');
  } catch {
    // A getter or a proxy of the application's.
    return undefined;
  }
}
