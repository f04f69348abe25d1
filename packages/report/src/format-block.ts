import type { Dump, DumpBlock, DumpThreadPool } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { foldFrames } from './fold-frames.ts';
import { formatDuration } from './format-duration.ts';
import { frameText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';

const MAX_THREADS = 8;

/** The blocked thread: what it does, and its stack. Nothing for dumps of other kinds. */
export function formatBlock({ block }: Dump, style: ReportStyle): string[] {
  if (block === undefined) return [];
  const { colors, cwd } = style;
  const lines = [
    `${colors.bold('the event loop')}  blocked for ${formatDuration(block.sinceMs)}  ${colors.dim(`(${blockText(block)})`)}`,
    `  ${colors.yellow(cleanText(block.what, 1_000))}`,
  ];
  for (const part of foldFrames(block.stack)) {
    if (part.type === 'fold' && part.wrapper) continue;
    const text = part.type === 'fold' ? `    … ${part.label}` : `    ${frameText(part.frame, cwd)}`;
    lines.push(part.type === 'frame' && part.prominent ? text : colors.dim(text));
  }
  if (block.lastRan !== undefined) lines.push(colors.dim(`  ${lastRanText(block.lastRan)}`));
  if (block.stackNote !== undefined) lines.push(colors.dim(`  ${cleanText(block.stackNote, 400)}`));
  return lines;
}

/** `last ran: request #4; what runs now may be something else`. */
export const lastRanText = (request: number): string =>
  `last ran: request #${request}; what runs now may be something else`;

/** The thread's state in a few words: `running, 1.2 s of CPU`, `sleeping in epoll_wait`; safe to print. */
export function blockText(block: DumpBlock): string {
  const states = {
    running: 'running',
    sleeping: 'sleeping',
    'waiting-for-cpu': 'waiting for a CPU',
    unknown: undefined,
  };
  const state = states[block.state];
  const call = block.systemCall === undefined ? '' : ` in ${cleanText(block.systemCall, 40)}`;
  const parts = [
    state === undefined ? undefined : `${state}${call}`,
    block.cpuMs === undefined ? undefined : `${formatDuration(block.cpuMs)} of CPU`,
    block.cpuWaitMs === undefined || block.cpuWaitMs < 100
      ? undefined
      : `${formatDuration(block.cpuWaitMs)} without a CPU`,
    block.heapUsed === undefined || block.heapUsed < 0.005
      ? undefined
      : `heap ${Math.round(block.heapUsed * 100)}% full`,
  ];
  return parts.filter((part) => part !== undefined).join(', ') || 'its state is not known';
}

/** `thread pool: 9 pieces of work for 4 threads: reads from a FIFO (read), …`, safe to print. */
export function threadPoolText({ size, pending, threads }: DumpThreadPool): string {
  const named = threads
    .slice(0, MAX_THREADS)
    .map(
      ({ what, systemCall }) =>
        `${cleanText(what, 120)}${systemCall === undefined ? '' : ` (${cleanText(systemCall, 40)})`}`,
    );
  if (threads.length > MAX_THREADS) named.push(`${threads.length - MAX_THREADS} more`);
  const doing = named.length === 0 ? '' : `: ${named.join(', ')}`;
  return `thread pool: ${pending} pieces of work for ${size} threads${doing}`;
}
