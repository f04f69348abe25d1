import type { SlotRef } from './worker-protocol.ts';

/** Many slots as one piece of memory: as objects, ten thousand of them would take the thread that is handed them ten milliseconds. */
export function packRefs(refs: readonly SlotRef[]): Uint32Array {
  const packed = new Uint32Array(2 * refs.length);
  refs.forEach(({ slot, generation }, index) => {
    packed[2 * index] = slot;
    packed[2 * index + 1] = generation;
  });
  return packed;
}

/** The slots again, one after the other. */
export function* unpackRefs(packed: Uint32Array): Generator<SlotRef, void, void> {
  for (let i = 0; i + 1 < packed.length; i += 2) yield { slot: packed[i] ?? 0, generation: packed[i + 1] ?? 0 };
}
