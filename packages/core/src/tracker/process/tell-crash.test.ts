import type { DumpCrash } from '@hangwatch/protocol';
import { expect, test, vi } from 'vitest';
import { testingRecord } from '../waits/testing-record.ts';
import { tellCrash } from './tell-crash.ts';

const crash: DumpCrash = { cause: 'exit', exitCode: 0, running: 2 };

test('the report has the evidence, the running request first, and what time is left', () => {
  const tell = vi.fn();
  tellCrash(crash, [testingRecord(1), testingRecord(2)], { state: 'running', crash: tell }, 10_000);
  const [told, evidence, leftMs] = tell.mock.calls[0] ?? [];
  expect(told).toBe(crash);
  expect(evidence.requests).toHaveLength(2);
  expect(leftMs).toBeCloseTo(10_000 - evidence.tookMs, -3);
  expect(leftMs).toBeLessThan(10_000);
});

test('whatever fails, the end of the process is told', () => {
  const tell = vi.fn();
  const broken = new Proxy(testingRecord(1), {
    get() {
      throw new Error('broken');
    },
  });
  tellCrash({ cause: 'exit' }, [broken], { state: 'running', crash: tell }, 250);
  expect(tell).toHaveBeenCalledExactlyOnceWith({ cause: 'exit' }, { requests: [], tookMs: 0 }, expect.any(Number));
});

test('where there is no watchdog nothing is looked up', () => {
  const tell = vi.fn();
  tellCrash(crash, [testingRecord(1)], { state: 'restarting', crash: tell }, 250);
  expect(tell).not.toHaveBeenCalled();
});
