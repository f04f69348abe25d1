import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Scenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';
import { eachNode, oldestAndNewest } from '../each-node.ts';

const SCENARIO = fileURLToPath(new URL('../scenarios/blocked-loop/faults.mjs', import.meta.url));
/** What is frozen stays so for the scenario's 20 s, for the 30 s of a session that waits for native code, or for ever. */
const PROMPT_MS = 5_000;

// A watchdog whose own thread, replies or process come to an end at each point at which it has to do with a paused main thread.
eachNode((binary) => {
  const { path: node } = binary;
  // Where it is a matter of what hangwatch does, and not of what Node does where a thread ends.
  const isOldestOrNewest = oldestAndNewest.includes(binary);
  async function withFault(
    [point, does, then]: readonly [string, string, string],
    work: (scenario: Scenario, request: (path: string) => Promise<string>) => Promise<void>,
  ): Promise<void> {
    const scenario = new Scenario(SCENARIO, {
      node,
      args: [point, does, then],
      env: { HANGWATCH_COLLECTOR: 'http://127.0.0.1:9' },
    });
    try {
      const { port } = await scenario.until(({ stdout }) =>
        stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number }) : undefined,
      );
      const request = (path: string) =>
        new Promise<string>((resolve) => {
          get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
            let body = '';
            response.setEncoding('utf8').on('data', (text: string) => {
              body += text;
            });
            response.on('end', () => resolve(body));
          }).on('error', (error) => resolve(error.message));
        });
      await request('/ok');
      await work(scenario, request);
    } finally {
      await scenario.stop();
    }
  }

  describe('the process goes on, and ends when it is asked to', () => {
    const accidents = [
      ['after Debugger.pause', 'exit'],
      ['paused', 'exit'],
      ['paused', 'garble'],
      ['before Runtime.evaluate', 'throw'],
      ['after Runtime.evaluate', 'exit'],
      ['before Debugger.resume', 'throw'],
      ['before Debugger.resume', 'exit'],
      ['after Debugger.resume', 'exit'],
      ['answer Runtime.getIsolateId', 'lose'],
      ['answer Debugger.enable', 'lose'],
      ['answer Debugger.pause', 'lose'],
      ['answer Runtime.evaluate', 'lose'],
      ['answer Debugger.getScriptSource', 'lose'],
      ['answer Debugger.resume', 'lose'],
    ] as const;
    test.each(accidents.filter(([, does]) => does === 'exit' || isOldestOrNewest))('%s: %s', async (point, does) => {
      await withFault([point, does, 'goes-on'], async (scenario, request) => {
        const answer = await request('/block');
        if (does === 'exit' && answer === 'socket hang up') {
          // Node itself, now and then, aborts where a thread ends in the middle of what the inspector tells it. Nothing is frozen.
          expect((await scenario.ended).signal).toBe('SIGABRT');
          return;
        }
        const { untilReachedMs, afterMs } = JSON.parse(answer) as Record<string, number>;
        // Else the accident has not happened.
        expect(untilReachedMs).toBeLessThan(15_000);
        expect(afterMs).toBeLessThan(PROMPT_MS);
        expect(await request('/ok')).toBe('ok');
        const endsAt = Date.now();
        scenario.child.stdin.write('end\n');
        const { code, stderr } = await scenario.ended;
        expect(code).toBe(0);
        expect(Date.now() - endsAt).toBeLessThan(PROMPT_MS);
        expect(stderr).not.toContain('Waiting for the debugger');
      });
    });
  });

  describe('the process ends as it would without', () => {
    const points = ['after Debugger.pause', 'paused', 'after Debugger.resume'];
    test.each(
      points.flatMap((point) =>
        (isOldestOrNewest ? ['exit', 'throw'] : ['exit']).map((then) => [then, point] as const),
      ),
    )('%s, %s', async (then, point) => {
      await withFault([point, 'tell', then], async (scenario, request) => {
        void request('/block');
        const { code, stdout, timedOut } = await scenario.ended;
        const { endsAt } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { endsAt: number };
        expect({ code, timedOut }).toEqual({ code: then === 'exit' ? 3 : 1, timedOut: false });
        expect(Date.now() - endsAt).toBeLessThan(PROMPT_MS);
      });
    });

    test.each(points)('SIGTERM, %s', async (point) => {
      await withFault([point, 'SIGTERM', 'goes-on'], async (scenario, request) => {
        const beganAt = Date.now();
        void request('/block');
        const { signal } = await scenario.ended;
        expect(signal).toBe('SIGTERM');
        expect(Date.now() - beganAt).toBeLessThan(PROMPT_MS + 1_000);
      });
    });
  });
});
