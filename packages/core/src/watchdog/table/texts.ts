/** Texts by id, as the main thread interned them. */
export type Texts = ReadonlyMap<number, string>;
