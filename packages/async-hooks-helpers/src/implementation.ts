import { AwaitContext } from './await-context.ts';
import { awaitStackOf } from './await-stack-of.ts';
import { AwaitTracker } from './await-tracker.ts';
import { boundThis } from './bound-this.ts';
import { capturedFrames, captureStack } from './captured-stack.ts';
import { collectAwaitStacks } from './collect-await-stacks.ts';
import { lookAtAwaits } from './context-awaits.ts';
import { errorFrames } from './error-frames.ts';
import { functionLocation, functionLocations } from './function-location.ts';
import { learnImports } from './import-pattern.ts';
import { ownAwait, ownAwaitIgnored, runOwn } from './own-await.ts';
import { sharedImplementation } from './process-wide.ts';
import { sampleFirstWaiters } from './sample-first-waiters.ts';

/** What every copy of this package in this thread uses: the first one that was loaded. */
export const implementation = sharedImplementation(() => ({
  AwaitContext,
  AwaitTracker,
  awaitStackOf,
  captureStack,
  capturedFrames,
  boundThis,
  collectAwaitStacks,
  errorFrames,
  functionLocation,
  functionLocations,
  learnImports,
  lookAtAwaits,
  ownAwait,
  ownAwaitIgnored,
  runOwn,
  sampleFirstWaiters,
}));
