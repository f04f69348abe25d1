/** What a test in the same process reads of hangwatch's tracker. */
interface Tracker {
  readonly records: readonly (Entry | undefined)[];
  current(): Entry | undefined;
}

export interface Entry {
  readonly route: string | undefined;
  readonly site: { readonly label: string } | undefined;
  readonly outcome?: string;
  readonly chainEnded?: boolean;
}

/** The process's tracker, if anybody has registered. */
export function tracker(): Tracker | undefined {
  return (globalThis as { [key: symbol]: { readonly tracker: Tracker } | undefined })[Symbol.for('hangwatch.core/1')]
    ?.tracker;
}

export function inFlight(): readonly Entry[] {
  return (tracker()?.records ?? []).filter((record) => record !== undefined);
}

/** Waits until a request is in flight of which this holds, or until none is. */
export async function untilInFlight(wanted: (entries: readonly Entry[]) => boolean): Promise<readonly Entry[]> {
  for (let left = 300; left > 0; left--) {
    const entries = inFlight();
    if (wanted(entries)) return entries;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came: ${JSON.stringify(inFlight().map(({ route, site }) => [route, site?.label]))}`);
}
