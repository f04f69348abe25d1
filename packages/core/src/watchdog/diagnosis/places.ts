import type { DumpFrame } from '@hangwatch/protocol';

/** Names a file below the process's working folder relative to it. */
export type ShortPath = (file: string) => string;

/** See {@link ShortPath}. */
export function shortPathsBelow(cwd: string): ShortPath {
  return (file) => (file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file);
}

/** The frame that tells most: the innermost of the application's own code, in the first stack that has any; else of a dependency. */
export function placeOf(stacks: readonly (readonly DumpFrame[])[]): DumpFrame | undefined {
  for (const kind of ['app', 'dependency', 'node'] as const) {
    for (const stack of stacks) {
      const frame = stack.find((candidate) => candidate.kind === kind && candidate.line > 0);
      if (frame !== undefined) return frame;
    }
  }
  return undefined;
}
