import type { FrameKind } from '@hangwatch/protocol';

/** A position in the JavaScript that runs: line and column, 1-based; column 0 where only the line is known. */
export type ScriptPosition = readonly [line: number, column: number];

/** A position in a source. */
export interface SourcePosition {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly kind: FrameKind;
}

/** What the map process is asked, a line each on its stdin: where these positions of one script come from. */
export interface MapTask {
  readonly script: string;
  readonly positions: readonly ScriptPosition[];
  /** Working folder of the application, which bundlers name sources relative to. */
  readonly cwd: string;
}

/** {@link MapTask} on its way. */
export type MapRequest = MapTask & { readonly id: number };

/** What is known of the positions, in the order asked. */
export interface MapResult {
  /** `null`: stays as it is. Absent when the script has no source map, or none that can be used. */
  readonly positions?: readonly (SourcePosition | null)[];
  /** Why a map that is named cannot be used; none of its content. */
  readonly problem?: string;
  /** When the script or its map was last written, milliseconds since 1970. */
  readonly writtenAtMs?: number;
}

/** What the map process says, a line each on its stdout. `ready` comes first, and once. */
export type MapAnswer = { readonly type: 'ready' } | MapDone;

/** {@link MapResult} on its way. */
export type MapDone = { readonly id: number } & MapResult;
