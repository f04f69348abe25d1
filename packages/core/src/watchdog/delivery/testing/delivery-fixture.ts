import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDelivery, type Delivery, type DeliveryOptions } from '../delivery.ts';
import type { DeliveryProblem } from '../problems.ts';
import { parseSpoolName } from '../spool-names.ts';
import { ManualClock } from './manual-clock.ts';
import { until } from './until.ts';

/** A delivery with a clock turned by hand, a spool folder of its own, and everything it says. */
export interface Fixture {
  readonly delivery: Delivery;
  readonly clock: ManualClock;
  readonly problems: DeliveryProblem[];
  readonly stderr: { text: string; full: boolean };
}

/** Makes deliveries for one test; `clean` closes them and removes the spool folder. */
export class Fixtures {
  readonly spoolDir = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  readonly #made: Delivery[] = [];

  make(collectors: readonly string[], over: Partial<DeliveryOptions> = {}): Fixture {
    const clock = new ManualClock();
    const problems: DeliveryProblem[] = [];
    const stderr = { text: '', full: false };
    const delivery = createDelivery({
      collectors,
      token: undefined,
      spoolDir: this.spoolDir,
      instance: `start-${this.#made.length + 1}`,
      userAgent: 'hangwatch-test/1',
      clock,
      random: () => 0.5,
      writeStderr: (bytes) => {
        if (stderr.full) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
        stderr.text += bytes.toString();
        return bytes.length;
      },
      onProblem: (problem) => problems.push(problem),
      ...over,
    });
    this.#made.push(delivery);
    return { delivery, clock, problems, stderr };
  }

  /** The states of the spool's files. */
  spooled(): string[] {
    return readdirSync(this.spoolDir)
      .map((file) => parseSpoolName(file)?.state.kind ?? file)
      .sort();
  }

  async clean(): Promise<void> {
    await Promise.all(this.#made.map((delivery) => delivery.close(0)));
    rmSync(this.spoolDir, { recursive: true, force: true });
  }
}

/** Waits until the counters are as given; the others don't matter. */
export function counted(delivery: Delivery, expected: Partial<Delivery['counters']>): Promise<void> {
  const names = Object.keys(expected) as (keyof Delivery['counters'])[];
  return until(
    () => `${JSON.stringify(expected)}, not ${JSON.stringify(delivery.counters)}`,
    () => names.every((name) => delivery.counters[name] === expected[name]),
  );
}
