import { CollectorStub } from '@hangwatch/test-utils';
import { expect, test } from 'vitest';
import { ContractServer } from './contract-server.ts';
import { begin } from './exchange.ts';
import { FRAMEWORKS } from './frameworks.ts';

const TIMEOUT_MS = 600;
const SCAN_MS = 400;
/** A busy machine may stop everybody for a while; it does not do so every time. */
const TRIES = 6;

// The watchdog's own test shows the bound for every phase of the clock, on a clock of its own. Here it is real, for every adapter.
test.each(FRAMEWORKS)(
  'a hang of $name is found within the timeout and 1.25 scan intervals, and never before the timeout',
  async ({ name, scheme, hangs }) => {
    const collector = await CollectorStub.start();
    const server = await ContractServer.start(name, true, {
      HANGWATCH_COLLECTOR: collector.url,
      CONTRACT_OPTIONS: JSON.stringify({ timeout: TIMEOUT_MS, scanInterval: SCAN_MS }),
    });
    try {
      const taken: number[] = [];
      while (taken.length < TRIES && !taken.some((ms) => ms <= TIMEOUT_MS + 1.25 * SCAN_MS)) {
        const earlier = new Set(collector.dumps);
        const request = begin(scheme, server.port, { path: hangs[0]?.path ?? '/hang' });
        const dump = await collector.next((each) => each.kind === 'hang' && !earlier.has(each));
        const { hungAtMs } = await server.state();
        taken.push(Date.parse(dump.at) - hungAtMs);
        request.leave();
        await collector.next((each) => each.kind === 'gone' && !earlier.has(each));
      }
      expect(Math.min(...taken)).toBeGreaterThanOrEqual(TIMEOUT_MS);
      expect(Math.min(...taken)).toBeLessThanOrEqual(TIMEOUT_MS + 1.25 * SCAN_MS);
    } finally {
      await server.kill();
      await collector.close();
    }
  },
);
