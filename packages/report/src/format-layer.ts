import type { DumpError, DumpLayer, DumpRequest } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { foldFrames } from './fold-frames.ts';
import { formatDuration } from './format-duration.ts';
import { frameText, placeText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';

/** What became of a layer's function, or of its promise; `running` and `pending` say so by the rest of the report. */
const ENDS = {
  running: undefined,
  returned: undefined,
  pending: 'its promise is pending',
  fulfilled: 'finished',
  rejected: 'was rejected',
  threw: undefined,
} as const;

/**
 * The last layer that was entered and how far it came, safe to print: `handler listUsers (src/users.ts:7), entered 10.3 s ago,
 * finished 10.1 s ago`. `undefined` where stacks say it better: while the layer awaits something.
 */
export function layerText(request: DumpRequest, cwd?: string): string | undefined {
  const { layer } = request;
  if (layer?.outcome === undefined || (layer.outcome === 'pending' && request.stacks.length > 0)) return undefined;
  const place = layer.file === undefined ? '' : ` (${placeText(layer.file, layer.line, undefined, cwd)})`;
  return [
    `${cleanText(layer.label, 120)}${place}`,
    `entered ${formatDuration(layer.enteredMs)} ago`,
    ...stepsOf(layer),
  ].join(', ');
}

function stepsOf({ outcome, returnedMs, settledMs, chain }: DumpLayer): string[] {
  const steps: string[] = [];
  if (returnedMs !== undefined)
    steps.push(`${outcome === 'threw' ? 'threw' : 'returned'} ${formatDuration(returnedMs)} ago`);
  const end = outcome === undefined ? undefined : ENDS[outcome];
  if (end === undefined) return steps;
  const subject = chain === true ? `the whole chain ${end}` : end;
  return [...steps, settledMs === undefined ? subject : `${subject} ${formatDuration(settledMs)} ago`];
}

/** `TypeError`, or `TypeError: its message` where the application lets that be shown. Safe to print. */
export function errorText({ class: name, message }: DumpError): string {
  return message === undefined ? cleanText(name, 100) : `${cleanText(name, 100)}: ${cleanText(message, 300)}`;
}

/** The lines of {@link layerText} and of the error, indented. */
export function formatLayer(request: DumpRequest, { colors, cwd }: ReportStyle): string[] {
  const { error } = request;
  const text = layerText(request, cwd);
  const lines = text === undefined ? [] : [`  last layer ${text}`];
  if (error === undefined) return lines;
  lines.push(`  ${colors.yellow(`rejected with ${errorText(error)}`)}`);
  for (const part of foldFrames(error.frames)) {
    if (part.type === 'frame') lines.push(`    ${frameText(part.frame, cwd)}`);
    else if (!part.wrapper) lines.push(colors.dim(`    … ${part.label}`));
  }
  return lines;
}
