// Entry of the map process: resolves positions through source maps for a watchdog that must not be killed by one, nor wait for the disk
// that they are on. Asked on stdin, answers on stdout, in order; ends when stdin does.
import { writeFileSync } from 'node:fs';
import { readJsonLines, writeJsonLine } from '../delivery/json-lines.ts';
import { mapPositions } from './map-positions.ts';
import type { MapAnswer, MapRequest, MapResult } from './map-protocol.ts';

const answer = (message: MapAnswer): void => writeJsonLine(process.stdout, message);

try {
  // Where memory gets scarce, the kernel kills this process before the application. https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html
  writeFileSync('/proc/self/oom_score_adj', '1000');
} catch {
  // No such file on other systems, and in some sandboxes.
}
// A parent that is gone needs no answer.
process.stdout.on('error', () => undefined);
readJsonLines<MapRequest>(process.stdin, ({ id, ...task }) => {
  let result: MapResult;
  try {
    result = mapPositions(task);
  } catch {
    result = { problem: 'its source map cannot be used' };
  }
  answer({ id, ...result });
});
answer({ type: 'ready' });
