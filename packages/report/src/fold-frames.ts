import type { DumpFrame } from '@hangwatch/protocol';
import { packageOf } from './display-path.ts';

/** A frame that is shown, or a run of frames that a reader need not see at once; `wrapper`: hangwatch's own, of no interest at all. */
export type StackPart =
  | { type: 'frame'; frame: DumpFrame; prominent: boolean }
  | { type: 'fold'; frames: DumpFrame[]; label: string; wrapper: boolean };

/**
 * Folds a stack for reading. Shown are the application's frames (prominent), the innermost frame whoever it belongs to, since it says
 * what is awaited, frames of `Promise.all` and the like that say which element, and a frame that would stand alone in its fold.
 *
 * @param stack - innermost frame first
 * @example
 * ```ts
 * foldFrames(stack).map((part) => (part.type === 'fold' ? part.label : part.frame.function));
 * // ['connect', '3 frames of node_modules/pg-pool', 'loadReport']
 * ```
 */
export function foldFrames(stack: readonly DumpFrame[]): StackPart[] {
  const parts: StackPart[] = [];
  let run: DumpFrame[] = [];
  const endRun = () => {
    const [only] = run;
    const wrapper = run.every((frame) => frame.kind === 'hangwatch');
    if (only !== undefined && run.length === 1 && !wrapper)
      parts.push({ type: 'frame', frame: only, prominent: false });
    else if (run.length > 0) parts.push({ type: 'fold', frames: run, label: foldLabel(run), wrapper });
    run = [];
  };
  for (const [index, frame] of stack.entries()) {
    if (frame.kind !== 'app' && index > 0 && frame.promiseIndex === undefined) {
      run.push(frame);
      continue;
    }
    endRun();
    parts.push({ type: 'frame', frame, prominent: frame.kind === 'app' });
  }
  endRun();
  return parts;
}

function foldLabel(frames: readonly DumpFrame[]): string {
  const owners = [...new Set(frames.map(ownerOf))];
  const named = owners.length > 3 ? [...owners.slice(0, 2), `${owners.length - 2} more`] : owners;
  const last = named.pop();
  return `${frames.length} ${frames.length === 1 ? 'frame' : 'frames'} of ${named.length === 0 ? last : `${named.join(', ')} and ${last}`}`;
}

function ownerOf(frame: DumpFrame): string {
  if (frame.kind === 'node' || frame.kind === 'hangwatch') return frame.kind;
  return packageOf(frame.file) ?? 'a dependency';
}
