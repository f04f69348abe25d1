/** Counts contexts that are not released, so that a default clock can run while there are any and only then. */
class LiveContexts {
  count = 0;
  /** Called when the count leaves 0. */
  wake: (() => void) | undefined = undefined;

  opened(): void {
    this.count += 1;
    if (this.count === 1 && this.wake !== undefined) this.wake();
  }

  closed(): void {
    this.count -= 1;
  }
}

export const liveContexts: LiveContexts = new LiveContexts();
