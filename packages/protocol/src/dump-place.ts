/** Whose code a frame is: the application's, an installed dependency's, Node's own, or hangwatch's. */
export type FrameKind = 'app' | 'dependency' | 'node' | 'hangwatch';

/** A position in the JavaScript that runs. */
export interface DumpPosition {
  file: string;
  /** Counts from 1. */
  line: number;
  /** Counts from 1; 0 where it is not known. */
  column: number;
}

/** One call site of an await stack: in the source, where the JavaScript that runs has a source map. */
export interface DumpFrame {
  /** Name that the function has in the JavaScript that runs, `''` for an anonymous one and for the top level of a module. */
  function: string;
  /** Path or URL, `''` where V8 knows none. */
  file: string;
  /** Counts from 1; 0 where V8 knows none. */
  line: number;
  /** Counts from 1; 0 where V8 knows none. */
  column: number;
  /** Suspended in an await, rather than on the synchronous stack. */
  async: boolean;
  kind: FrameKind;
  /** Which element of a `Promise.all`, `any` or `allSettled` the stack came through. */
  promiseIndex?: number | undefined;
  /** Where the call site is in the JavaScript that runs, if `file` and `line` are those of its source. */
  generated?: DumpPosition | undefined;
}
