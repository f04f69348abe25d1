/**
 * The call sites below the function `below`, innermost first. Structured, so that an application's own `Error.prepareStackTrace` neither runs
 * nor matters. Some microseconds: not for hot paths.
 *
 * @returns none where the intrinsics are frozen
 */
export function callSites(below: (...args: never[]) => unknown, limit: number): readonly NodeJS.CallSite[] {
  // What cannot be set cannot be put back either.
  if (Object.isFrozen(Error)) return [];
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = limit;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, below);
    return holder.stack ?? [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = prepareStackTrace;
  }
}
