import pc from 'picocolors';
import type { FormatDumpOptions } from './format-dump-options.ts';

/** Options with their defaults filled in, and the colours that follow from them. */
export interface ReportStyle {
  colors: ReturnType<typeof pc.createColors>;
  width: number;
  cwd: string | undefined;
  now: Date | undefined;
  maxStuck: number;
  maxStacks: number;
  maxRows: number;
}

/** Fills in the defaults. */
export function reportStyle(options: FormatDumpOptions, cwd: string | undefined): ReportStyle {
  return {
    colors: pc.createColors(options.color ?? false),
    width: Math.max(40, options.width ?? 120),
    cwd: options.cwd ?? cwd,
    now: options.now,
    maxStuck: options.maxStuck ?? 10,
    maxStacks: options.maxStacks ?? 5,
    maxRows: options.maxRows ?? 20,
  };
}
