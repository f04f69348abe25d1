/** Limits of what a dump may hold: a sender cuts to them, a receiver refuses what exceeds them. */
export const DUMP_LIMITS = {
  /** Requests in one dump. */
  requests: 100_000,
  /** Stacks, and awaits, of one request. */
  stacks: 64,
  /** Frames of one stack. */
  frames: 256,
  /** Things that one request waits for, and requests that wait for one promise. */
  waits: 1_000,
  /** Edges of the wait-for graph, and cycles in it. */
  edges: 1_000,
  cycles: 100,
  /** Places of one request's trail. */
  trail: 64,
  /** Entries of the flight recorder. */
  recorder: 1_000,
  /** Levels of nesting in the data of one place, and values in it. */
  dataDepth: 6,
  dataValues: 256,
  /** Threads of libuv's pool: it has no more than 1,024. */
  poolThreads: 1_024,
  /** Types of active resources. */
  resources: 1_000,
  /** Characters (UTF-16 units) of one string. */
  text: 4_096,
  /** Characters of the dump's id. */
  id: 128,
} as const;
