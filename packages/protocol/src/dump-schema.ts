import * as v from 'valibot';

/** Limits of what a dump may hold; a sender cuts to them, a receiver refuses what exceeds them. */
export const DUMP_LIMITS = {
  /** Requests in one dump. */
  requests: 100_000,
  /** Stacks of one request. */
  stacks: 64,
  /** Frames of one stack. */
  frames: 256,
  /** Characters of one string. */
  text: 4_096,
} as const;

const text = v.pipe(v.string(), v.maxLength(DUMP_LIMITS.text));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const position = v.pipe(v.number(), v.integer(), v.minValue(0));

export const FrameSchema = v.object({
  function: text,
  file: text,
  line: position,
  column: position,
  async: v.boolean(),
  kind: v.picklist(['app', 'dependency', 'node', 'hangwatch']),
  promiseIndex: v.optional(count),
});

export const EvidenceSchema = v.picklist(['no-progress', 'chain-stalled', 'slow']);

export const RequestVerdictSchema = v.object({ evidence: EvidenceSchema, summary: text });

export const CheckpointSchema = v.object({
  label: text,
  ageMs: milliseconds,
  file: v.optional(text),
  line: v.optional(position),
});

export const AwaitSchema = v.object({
  ageMs: milliseconds,
  own: v.boolean(),
  alsoAwaitedBy: v.array(count),
});

export const WaitSchema = v.object({ type: text, label: text, sinceMs: milliseconds });

export const RequestSchema = v.object({
  id: count,
  traceId: v.optional(text),
  requestId: v.optional(text),
  method: text,
  route: text,
  path: text,
  state: v.picklist(['stuck', 'moving']),
  elapsedMs: milliseconds,
  idleMs: milliseconds,
  timeoutMs: milliseconds,
  checkpoint: CheckpointSchema,
  stacks: v.pipe(v.array(v.pipe(v.array(FrameSchema), v.maxLength(DUMP_LIMITS.frames))), v.maxLength(DUMP_LIMITS.stacks)),
  awaits: v.pipe(v.array(AwaitSchema), v.maxLength(DUMP_LIMITS.stacks)),
  omittedAwaits: v.optional(count),
  waitsFor: v.array(WaitSchema),
  verdict: v.optional(RequestVerdictSchema),
});

export const ProcessSchema = v.object({
  service: text,
  hostname: text,
  pid: count,
  instance: text,
  node: text,
  version: text,
  hangwatch: text,
  uptimeMs: milliseconds,
});

export const DumpSchema = v.object({
  schema: v.literal('hangwatch.dump/1'),
  id: v.pipe(v.string(), v.uuid()),
  kind: v.picklist(['hang', 'recovered', 'gone']),
  at: v.pipe(v.string(), v.isoTimestamp()),
  follows: v.optional(v.pipe(v.string(), v.uuid())),
  process: ProcessSchema,
  verdict: v.object({ evidence: EvidenceSchema, summary: text, fingerprint: text }),
  requests: v.pipe(v.array(RequestSchema), v.maxLength(DUMP_LIMITS.requests)),
  evidence: v.object({ complete: v.boolean(), tookMs: milliseconds, note: v.optional(text) }),
  eventLoop: v.object({ delayP99Ms: milliseconds, utilization: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  resources: v.record(text, count),
  suppressed: v.object({ dumps: count, requests: count }),
});
