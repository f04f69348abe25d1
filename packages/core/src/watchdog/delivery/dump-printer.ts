import type { Dump } from '@hangwatch/protocol';
import { formatDump } from '@hangwatch/report';
import type { MutableCounters } from './counters.ts';
import type { Problems } from './problems.ts';
import type { StderrWriter } from './stderr-writer.ts';

/** Writes dumps to stderr as a person would want to read them: where no collector is configured, and as the last resort. */
export class DumpPrinter {
  readonly #stderr: StderrWriter;
  readonly #counters: MutableCounters;
  readonly #problems: Problems;

  constructor(stderr: StderrWriter, counters: MutableCounters, problems: Problems) {
    this.#stderr = stderr;
    this.#counters = counters;
    this.#problems = problems;
  }

  /** Prints and counts. Resolves when the dump is written or given up; never rejects. */
  async print(dump: Dump): Promise<void> {
    if (await this.show(dump)) this.#counters.printed += 1;
    else this.#counters.stderrLost += 1;
  }

  /** Prints a dump that is counted elsewhere. Resolves to whether it was written. */
  async show(dump: Dump): Promise<boolean> {
    let text: string;
    try {
      text = formatDump(dump, { color: false });
    } catch (error) {
      this.#problems.tell('dump-unpackable', `a dump cannot be printed: ${String(error)}`);
      return false;
    }
    const written = await this.#stderr.write(text);
    if (!written)
      this.#problems.tell('stderr-lost', 'a report was lost: stderr is closed, or full and nobody reads it');
    return written;
  }

  /** One last try for what waits, then gives it up. */
  close(): void {
    this.#stderr.close();
  }
}
