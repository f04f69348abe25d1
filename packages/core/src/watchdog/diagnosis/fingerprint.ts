import { createHash } from 'node:crypto';
import type { DumpFrame, Evidence } from '@hangwatch/protocol';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';

/** What makes two hangs the same: how, on which route, in which code. */
export interface HangIdentity {
  readonly evidence: Evidence;
  readonly method: string;
  readonly route: string;
  readonly stacks: readonly (readonly DumpFrame[])[];
}

/** Innermost application frames that count. */
const FRAMES = 3;

/** The same for each occurrence of the same hang, on any machine: nothing of a request, a process or a time is in it. */
export function fingerprintOf(hang: HangIdentity): string {
  const stack = hang.stacks.find((frames) => frames.some(({ kind }) => kind === 'app')) ?? hang.stacks[0] ?? [];
  const app = stack.filter(({ kind }) => kind === 'app');
  const frames = (app.length > 0 ? app : stack)
    .slice(0, FRAMES)
    .map((frame) => `${nameIn(frame)} ${frame.file}:${frame.line}`);
  return digest([hang.evidence, `${hang.method} ${hang.route}`, ...frames]);
}

/** A build may give functions other names each time: where the source is known, its line says enough. */
const nameIn = (frame: DumpFrame): string => (frame.generated === undefined ? frame.function : '');

/** One fingerprint for a dump with several hangs. */
export function combineFingerprints(fingerprints: readonly string[]): string {
  const distinct = [...new Set(fingerprints)].sort();
  return distinct.length === 1 && distinct[0] !== undefined ? distinct[0] : digest(distinct);
}

/** One short text for several. */
export const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);

/** The stacks that tell one hang from another. Without an await it is the error's, or the last layer's place. */
export function tellingStacks(evidence: RequestEvidence | undefined): readonly (readonly DumpFrame[])[] {
  if (evidence === undefined) return [];
  const { stacks, error, layer } = evidence;
  if (stacks.length > 0) return stacks;
  if (error !== undefined && error.frames.length > 0) return [error.frames];
  if (layer === undefined) return [];
  const { label, file = '', line = 0 } = layer;
  return [[{ function: label, file, line, column: 0, async: false, kind: 'app' }]];
}
