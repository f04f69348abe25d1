import { createScriptOrigins } from '@hangwatch/async-hooks-helpers/script-origin';
import type { DumpFrame } from '@hangwatch/protocol';

/** A call frame as the inspector reports it. https://chromedevtools.github.io/devtools-protocol/v8/Debugger/#type-CallFrame */
export interface CallFrame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: Location;
  /** Where the function begins. */
  readonly functionLocation?: Location;
}

/** A position as the inspector reports it, counted from 0. */
interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber?: number;
}

/** Frames kept of one synchronous stack: a recursion has thousands. */
const MAX_FRAMES = 200;
const originOf = createScriptOrigins(__filename);

/** The inspector's frames as a dump shows them. Its positions count from 0; the names of scripts come with `Debugger.scriptParsed`. */
export function toDumpFrames(
  callFrames: readonly CallFrame[],
  urlOf: (scriptId: string) => string | undefined,
): DumpFrame[] {
  return callFrames.slice(0, MAX_FRAMES).map(({ functionName, location }) => {
    const { file, kind } = originOf(urlOf(location.scriptId));
    return {
      function: functionName,
      file,
      line: location.lineNumber + 1,
      column: (location.columnNumber ?? 0) + 1,
      async: false,
      kind,
    };
  });
}
