import type { InferOutput } from 'valibot';
import type { AwaitSchema, CheckpointSchema, DumpSchema, EvidenceSchema, FrameSchema, ProcessSchema, RequestSchema, RequestVerdictSchema, WaitSchema } from './dump-schema.ts';

/** The `schema` field of every dump: name and major version. Within a major version fields are only added. */
export const DUMP_SCHEMA_VERSION = 'hangwatch.dump/1';

/**
 * What hangwatch found, at one moment, in one process: a request that hangs (`hang`), that finished after all (`recovered`)
 * or whose client left (`gone`), with every request that was in flight.
 */
export type Dump = InferOutput<typeof DumpSchema>;

/** `hang` | `recovered` | `gone`. */
export type DumpKind = Dump['kind'];

/** Who sent the dump. `instance` is unique to one start of one process; `version` is the application's. */
export type DumpProcess = InferOutput<typeof ProcessSchema>;

/** A request in flight at the time of the dump; stuck ones come first. */
export type DumpRequest = InferOutput<typeof RequestSchema>;

/** The last named point the request passed: `checkpoint('label')`, or the framework phase or layer it entered. */
export type DumpCheckpoint = InferOutput<typeof CheckpointSchema>;

/** One call site of an await stack. `line` and `column` count from 1; 0 where V8 knows none. Innermost frame first. */
export type DumpFrame = InferOutput<typeof FrameSchema>;

/** What belongs to the stack of the same index in `stacks`: its age, whether it leads to the request's own handler, who else waits. */
export type DumpAwait = InferOutput<typeof AwaitSchema>;

/** Something the request waits for, and for how long. */
export type DumpWait = InferOutput<typeof WaitSchema>;

/** Why one request is called stuck. */
export type DumpRequestVerdict = InferOutput<typeof RequestVerdictSchema>;

/** Evidence classes. */
export type Evidence = InferOutput<typeof EvidenceSchema>;
