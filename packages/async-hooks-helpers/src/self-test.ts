import type { AsyncLocalStorage } from 'node:async_hooks';
import { AwaitContext } from './await-context.ts';
import { collectAwaitStacks } from './collect-await-stacks.ts';
import { foreverPending } from './forever-pending.ts';
import { disableFrameWalker, frameWalker } from './frame-walker.ts';
import { ownAwait } from './own-await.ts';

/** What works in this runtime. */
export interface Support {
  /** Awaits are seen as they begin and resume. */
  readonly hooks: boolean;
  /** Pending promises can be walked. */
  readonly stacks: boolean;
  /** Why not, a sentence each; empty where all works. */
  readonly reasons: readonly string[];
}

async function outer(): Promise<void> {
  await foreverPending();
}

/**
 * Hangs a small request on purpose and looks whether it is found. Turns stacks off where it is not: no stack is better than a wrong one.
 *
 * @param hookFailure why the hooks could not be installed, if so
 */
export function selfTest(storage: AsyncLocalStorage<AwaitContext>, hookFailure: string | undefined): Support {
  const reasons: string[] = [];
  if (hookFailure !== undefined) reasons.push(`promise hooks: ${hookFailure}`);
  if (frameWalker() === undefined)
    reasons.push('await stacks: the runtime has no vm contexts with a microtask queue of their own');
  const context = new AwaitContext(new Uint32Array(1), 0);
  try {
    storage.run(context, () => {
      void ownAwait(outer());
    });
    const hooks = hookFailure === undefined && context.outstanding >= 3;
    if (hookFailure === undefined && !hooks)
      reasons.push('promise hooks: an await of a native async function was not seen');
    const stacks = hooks && frameWalker() !== undefined && isFound(context);
    if (hooks && frameWalker() !== undefined && !stacks) {
      reasons.push('await stacks: the walk through a pending promise came out wrong');
    }
    reasons.push(...replacedPromise());
    if (!stacks) disableFrameWalker();
    return { hooks, stacks, reasons };
  } catch (error) {
    disableFrameWalker();
    reasons.push(`self-test: ${error instanceof Error ? error.message : String(error)}`);
    return { hooks: false, stacks: false, reasons };
  } finally {
    context.release();
  }
}

function isFound(context: AwaitContext): boolean {
  const collection = collectAwaitStacks([context]);
  let step = collection.next();
  while (step.done !== true) step = collection.next();
  const [stack] = step.value.get(context) ?? [];
  return (
    stack?.own === true && stack.frames.length === 2 && stack.frames.every((frame) => frame.async && frame.line > 0)
  );
}

/** With another `Promise` (zone.js, a global Bluebird) what goes through its own promises can't be walked; async functions can. */
function replacedPromise(): string[] {
  const native = Object.getPrototypeOf(foreverPending()) as object;
  return native === Promise.prototype
    ? []
    : [
        'globalThis.Promise is not the one of async functions (zone.js, Bluebird): stacks end where they meet its promises',
      ];
}
