import type { Dump } from '@hangwatch/protocol';
import { foldFrames } from './fold-frames.ts';
import { formatDuration } from './format-duration.ts';
import { errorText } from './format-layer.ts';
import { frameText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';

/** How a process ended: the error with its frames, and of whoever died without a word how old what is known is. */
export function formatCrash({ crash, at }: Pick<Dump, 'crash' | 'at'>, { colors, cwd }: ReportStyle): string[] {
  if (crash === undefined) return [];
  const { error, running, renewedEveryMs } = crash;
  const lines: string[] = [];
  if (error !== undefined) {
    lines.push(colors.yellow(errorText(error)));
    for (const part of foldFrames(error.frames)) {
      if (part.type === 'frame') lines.push(`    ${frameText(part.frame, cwd)}`);
      else if (!part.wrapper) lines.push(colors.dim(`    … ${part.label}`));
    }
  }
  if (running !== undefined) lines.push(colors.dim(`in the context of #${running}`));
  const stale = staleText({ crash, at });
  if (renewedEveryMs !== undefined && stale !== undefined) lines.push(colors.dim(stale));
  return lines;
}

/** What is known of a process that died without a word is older than its death: by how much. */
export function staleText({ crash, at }: Pick<Dump, 'crash' | 'at'>): string | undefined {
  if (crash?.renewedEveryMs === undefined) return undefined;
  return `as it was at ${at}; this was renewed every ${formatDuration(crash.renewedEveryMs)} while it lived`;
}
