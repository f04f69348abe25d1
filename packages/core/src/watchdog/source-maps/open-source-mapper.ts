import type { WatchdogSettings } from '../../shared/worker-protocol.ts';
import type { Clock } from '../delivery/clock.ts';
import { canStartNode, HelperProcess } from '../delivery/helper-process.ts';
import type { MapDone, MapTask } from './map-protocol.ts';
import { SourceMapper } from './source-mapper.ts';

/** How long one map may take: some ten times what 60 MB of a bundler's output take. */
const ANSWER_MS = 10_000;
const HEAP_MB = 512;

/** The source mapper of a watchdog, its maps read by a process of their own where one can be started. */
export function openSourceMapper(settings: WatchdogSettings, processFile: string, clock: Clock): SourceMapper {
  const { cwd, startedAtMs } = settings;
  const helper = new HelperProcess<MapTask, MapDone>({
    file: processFile,
    args: [],
    heapMb: HEAP_MB,
    answerMs: ANSWER_MS,
    clock,
  });
  return new SourceMapper({ ask: canStartNode() ? (task) => helper.ask(task) : undefined, clock, cwd, startedAtMs });
}
