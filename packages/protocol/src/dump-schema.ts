import * as v from 'valibot';
import { DUMP_SCHEMA_VERSION } from './dump.ts';
import { DUMP_LIMITS } from './dump-limits.ts';
import type { DumpData } from './dump-request.ts';

// Each message says what is expected; parseDump adds what was given.
const EXPECT_TEXT = `must be a string of at most ${DUMP_LIMITS.text} characters`;
const EXPECT_MS = 'must be a number of milliseconds, 0 or more';
const EXPECT_SHARE = 'must be a number from 0 to 1';
const EXPECT_COUNT = 'must be a whole number, 0 or more';
const EXPECT_ID = `must be 1 to ${DUMP_LIMITS.id} of the characters A-Z a-z 0-9 . _ -`;
const EXPECT_TIMESTAMP = 'must be an ISO 8601 time with a time zone';
const EXPECT_BOOLEAN = 'must be true or false';

const text = v.pipe(v.string(EXPECT_TEXT), v.maxLength(DUMP_LIMITS.text, EXPECT_TEXT));
const milliseconds = v.pipe(v.number(EXPECT_MS), v.finite(EXPECT_MS), v.minValue(0, EXPECT_MS));
const count = v.pipe(v.number(EXPECT_COUNT), v.safeInteger(EXPECT_COUNT), v.minValue(0, EXPECT_COUNT));
// No upper bound: a utilization that rounding puts a hair above 1 is no reason to lose a dump.
const share = v.pipe(v.number(EXPECT_SHARE), v.finite(EXPECT_SHARE), v.minValue(0, EXPECT_SHARE));
const boolean = v.boolean(EXPECT_BOOLEAN);
const dumpId = v.pipe(
  v.string(EXPECT_ID),
  v.maxLength(DUMP_LIMITS.id, EXPECT_ID),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, EXPECT_ID),
);
const timestamp = v.pipe(
  v.string(EXPECT_TIMESTAMP),
  v.maxLength(64, EXPECT_TIMESTAMP),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/, EXPECT_TIMESTAMP),
  v.check((value) => !Number.isNaN(Date.parse(value)), EXPECT_TIMESTAMP),
);

function oneOf<const Options extends readonly string[]>(options: Options) {
  return v.picklist(options, `must be one of ${options.map((option) => JSON.stringify(option)).join(', ')}`);
}

/** The length comes first: a list of millions of wrong items must not become millions of issues. */
function list<Item extends v.GenericSchema>(item: Item, limit: number) {
  const expected = `must be a list of at most ${limit} items`;
  return v.pipe(v.array(v.unknown(), expected), v.maxLength(limit, expected), v.array(item));
}

const EvidenceClassSchema = oneOf([
  'proven-cycle',
  'proven-unreachable',
  'loop-blocked',
  'leaked',
  'pool-exhausted',
  'no-response',
  'client-stalled',
  'waiting-outbound',
  'no-progress',
  'chain-stalled',
  'slow',
  'on-request',
  'not-closed',
  'crashed',
  'suppressed',
]);

/** An object whose missing fields are described by what they ought to be, not by what the object ought to be. */
function object<const Entries extends v.ObjectEntries>(entries: Entries, expected = 'must be an object') {
  return v.object(entries, (issue) => {
    const missing = entries[String(issue.path?.at(-1)?.key)];
    return (missing && v.safeParse(missing, undefined).issues?.[0].message) ?? expected;
  });
}

const PositionSchema = object({ file: text, line: count, column: count });

const FrameSchema = object({
  function: text,
  file: text,
  line: count,
  column: count,
  async: boolean,
  kind: oneOf(['app', 'dependency', 'node', 'hangwatch']),
  promiseIndex: v.optional(count),
  generated: v.optional(PositionSchema),
});

const passedPlace = {
  label: text,
  ageMs: milliseconds,
  file: v.optional(text),
  line: v.optional(count),
  column: v.optional(count),
  generated: v.optional(PositionSchema),
};

const CheckpointSchema = object(passedPlace);

const EXPECT_DATA = `must be JSON of at most ${DUMP_LIMITS.dataValues} values, ${DUMP_LIMITS.dataDepth} levels deep`;
const DataSchema = v.custom<DumpData>(
  (value) => valuesIn(value, DUMP_LIMITS.dataDepth) <= DUMP_LIMITS.dataValues,
  EXPECT_DATA,
);

/** How many values are in it; infinitely many in what is too deep, or no JSON. */
function valuesIn(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length <= DUMP_LIMITS.text ? 1 : Number.POSITIVE_INFINITY;
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return 1;
  if (typeof value !== 'object' || depth === 0) return Number.POSITIVE_INFINITY;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + valuesIn(each, depth - 1), 1);
  return Object.entries(value).reduce(
    (sum, [key, each]) => sum + (v.is(text, key) ? valuesIn(each, depth - 1) : Number.POSITIVE_INFINITY),
    1,
  );
}

const TrailEntrySchema = object({ ...passedPlace, data: v.optional(DataSchema) });

const LayerSchema = object({
  label: text,
  file: v.optional(text),
  line: v.optional(count),
  column: v.optional(count),
  generated: v.optional(PositionSchema),
  outcome: v.optional(oneOf(['running', 'returned', 'pending', 'fulfilled', 'rejected', 'threw'])),
  enteredMs: milliseconds,
  returnedMs: v.optional(milliseconds),
  settledMs: v.optional(milliseconds),
  chain: v.optional(boolean),
});

const PendingSchema = object({
  type: text,
  count: v.optional(count),
  function: v.optional(text),
  file: v.optional(text),
  line: v.optional(count),
  column: v.optional(count),
  generated: v.optional(PositionSchema),
});

const ErrorSchema = object({
  class: text,
  frames: list(FrameSchema, DUMP_LIMITS.frames),
  message: v.optional(text),
});

const AwaitSchema = object({
  ageMs: milliseconds,
  own: boolean,
  alsoAwaitedBy: v.optional(list(count, DUMP_LIMITS.waits)),
  created: v.optional(boolean),
});

const WaitSchema = object({ type: text, label: text, sinceMs: milliseconds });

const HoldSchema = object({ resource: text, sinceMs: milliseconds, site: v.optional(FrameSchema) });

const WaitForSchema = object({
  edges: list(
    object({
      request: count,
      waitsFor: text,
      heldBy: v.optional(count),
      holder: v.optional(text),
      sinceMs: milliseconds,
      heldMs: v.optional(milliseconds),
      ahead: v.optional(boolean),
      timesOutMs: v.optional(milliseconds),
      site: v.optional(FrameSchema),
      heldSite: v.optional(FrameSchema),
    }),
    DUMP_LIMITS.edges,
  ),
  cycles: list(list(count, DUMP_LIMITS.edges), DUMP_LIMITS.cycles),
});

/** One request of a dump. */
export const RequestSchema = object({
  id: count,
  traceId: v.optional(text),
  requestId: v.optional(text),
  method: text,
  route: text,
  path: text,
  state: oneOf(['stuck', 'moving']),
  elapsedMs: milliseconds,
  idleMs: milliseconds,
  timeoutMs: milliseconds,
  checkpoint: CheckpointSchema,
  trail: v.optional(list(TrailEntrySchema, DUMP_LIMITS.trail)),
  stacks: list(list(FrameSchema, DUMP_LIMITS.frames), DUMP_LIMITS.stacks),
  awaits: v.optional(list(AwaitSchema, DUMP_LIMITS.stacks)),
  omittedAwaits: v.optional(count),
  waitsFor: list(WaitSchema, DUMP_LIMITS.waits),
  holds: v.optional(list(HoldSchema, DUMP_LIMITS.waits)),
  layer: v.optional(LayerSchema),
  error: v.optional(ErrorSchema),
  pending: v.optional(list(PendingSchema, DUMP_LIMITS.waits)),
  notesPromises: v.optional(boolean),
  seenAt: v.optional(list(object({ frame: FrameSchema, times: count }), DUMP_LIMITS.stacks)),
  sameAs: v.optional(count),
  verdict: v.optional(object({ evidence: EvidenceClassSchema, summary: text })),
});

const BlockSchema = object({
  sinceMs: milliseconds,
  state: oneOf(['running', 'sleeping', 'waiting-for-cpu', 'unknown']),
  cause: oneOf([
    'javascript',
    'regular-expression',
    'native-call',
    'child-process',
    'file-system',
    'file-lock',
    'network-file-system',
    'network',
    'thread-wait',
    'garbage-collection',
    'cpu-starvation',
    'unknown',
  ]),
  what: text,
  systemCall: v.optional(text),
  cpuMs: v.optional(milliseconds),
  cpuWaitMs: v.optional(milliseconds),
  heapUsed: v.optional(share),
  running: v.optional(count),
  lastRan: v.optional(count),
  stack: list(FrameSchema, DUMP_LIMITS.frames),
  stackNote: v.optional(text),
});

const ThreadPoolSchema = object({
  size: count,
  pending: count,
  threads: list(
    object({ state: oneOf(['running', 'sleeping']), what: text, systemCall: v.optional(text) }),
    DUMP_LIMITS.poolThreads,
  ),
});

const ProcessSchema = object({
  service: text,
  hostname: text,
  pid: count,
  threadId: v.optional(count),
  clusterWorker: v.optional(count),
  instance: v.optional(text),
  node: text,
  version: text,
  hangwatch: v.optional(text),
  cwd: v.optional(text),
  uptimeMs: milliseconds,
  noAwaitStacks: v.optional(text),
});

const EXPECT_RESOURCES = `must be an object of at most ${DUMP_LIMITS.resources} counts by type`;
const isResourceTable = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length <= DUMP_LIMITS.resources;

/** Every own entry is checked, also one named `__proto__`, which valibot's own record leaves out. */
const ResourcesSchema = v.pipe(
  v.custom<Record<string, unknown>>(isResourceTable, EXPECT_RESOURCES),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const table = dataset.value;
    for (const [type, value] of Object.entries(table)) {
      const path: [v.ObjectPathItem] = [{ type: 'object', origin: 'value', input: table, key: type, value }];
      if (!v.is(text, type))
        addIssue({ message: `must be named by ${EXPECT_TEXT.slice('must be '.length)}`, input: type, path });
      else if (!v.is(count, value)) addIssue({ message: EXPECT_COUNT, input: value, path });
    }
  }),
);

const CrashSchema = object({
  cause: oneOf(['uncaught-exception', 'unhandled-rejection', 'exit', 'died']),
  exitCode: v.optional(count),
  error: v.optional(ErrorSchema),
  handledMs: v.optional(milliseconds),
  running: v.optional(count),
  renewedEveryMs: v.optional(milliseconds),
});

const RecorderSchema = object({
  reachMs: milliseconds,
  wantedMs: v.optional(milliseconds),
  resolutionMs: milliseconds,
  entries: list(
    object({
      type: text,
      ageMs: milliseconds,
      request: v.optional(count),
      label: v.optional(text),
      durationMs: v.optional(milliseconds),
    }),
    DUMP_LIMITS.recorder,
  ),
  omitted: count,
  torn: v.optional(count),
});

/** All of a dump but its requests, of which only the number is checked. */
export const EnvelopeSchema = object(
  {
    schema: v.literal(DUMP_SCHEMA_VERSION, `must be ${JSON.stringify(DUMP_SCHEMA_VERSION)}`),
    id: dumpId,
    kind: oneOf(['hang', 'loop-block', 'recovered', 'gone', 'snapshot', 'shutdown', 'crash', 'suppressed']),
    selfTest: v.optional(boolean),
    at: timestamp,
    follows: v.optional(dumpId),
    process: ProcessSchema,
    verdict: object({ evidence: EvidenceClassSchema, summary: text, fingerprint: v.optional(text) }),
    requests: list(v.unknown(), DUMP_LIMITS.requests),
    crash: v.optional(CrashSchema),
    waitFor: v.optional(WaitForSchema),
    recorder: v.optional(RecorderSchema),
    evidence: v.optional(object({ complete: boolean, tookMs: milliseconds, note: v.optional(text) })),
    eventLoop: object({ delayP99Ms: milliseconds, utilization: share }),
    block: v.optional(BlockSchema),
    threadPool: v.optional(ThreadPoolSchema),
    resources: ResourcesSchema,
    suppressed: object({ dumps: count, requests: count }),
  },
  `must be a dump: a JSON object with "schema": ${JSON.stringify(DUMP_SCHEMA_VERSION)}`,
);
