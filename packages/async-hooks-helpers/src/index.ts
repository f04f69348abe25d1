import type { AwaitContext as Context } from './await-context.ts';
import type { AwaitTracker as Tracker } from './await-tracker.ts';
import { implementation } from './implementation.ts';

export type { AwaitStats } from './await-hooks.ts';
export type { AwaitTrackerOptions } from './await-tracker.ts';
export type { CallSite } from './call-site.ts';
export type { AwaitStack } from './collect-await-stacks.ts';
export type { ContextAwaits, KnownPromises } from './context-awaits.ts';
export type { FunctionLocation } from './function-location.ts';
export type { OwnObserver } from './own-await.ts';
export type { CapturedStack } from './probe-realm.ts';
export { isPending } from './promise-state.ts';
export type { FrameKind } from './script-origin.ts';
export type { Support } from './self-test.ts';

export type AwaitContext = Context;
export type AwaitTracker = Tracker;

export const {
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
} = implementation;
