/** A promise of V8's own that never settles, also where `globalThis.Promise` is somebody else's: async functions make no other. */
export async function foreverPending(): Promise<void> {
  await new Promise<void>(() => undefined);
}
