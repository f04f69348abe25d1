import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';
import { appLines, BlockedServer, blockOf, isBlock } from './blocked-server.ts';
import { DebuggerClient } from './debugger-client.ts';

const THRESHOLD_MS = 200;
const OPTIONS = { blockedLoop: { threshold: THRESHOLD_MS }, blockMs: 1_000 };

// Others have sessions with the inspector, too: nobody's is resumed or paused but ours, and no block is missed for them.
eachNode(({ path: node }) => {
  async function withServer(
    options: Parameters<typeof BlockedServer.start>[1],
    execArgv: string[],
    work: (server: BlockedServer) => Promise<void>,
  ): Promise<void> {
    const server = await BlockedServer.start(node, { ...OPTIONS, ...options }, execArgv);
    try {
      await work(server);
    } finally {
      await server.stop();
    }
  }

  const tool = async (server: BlockedServer) =>
    JSON.parse((await server.request('/tool')).body) as {
      exceptions: number;
      pauses: number;
      functions: string[];
    };

  test('a debugger that sits at a breakpoint: nothing is reported, and it stays there until the debugger lets it go', async () => {
    await withServer({}, ['--inspect=127.0.0.1:0'], async (server) => {
      const client = await DebuggerClient.connect(server.scenario.stderr);
      await client.post('Runtime.enable');
      await client.post('Debugger.enable');
      const answered = server.request('/breakpoint');
      await client.until('Debugger.paused');
      // Far longer than the threshold; that something would have been reported is shown below.
      await sleep(5 * THRESHOLD_MS + 500);
      expect(client.count('Debugger.resumed')).toBe(0);
      await client.post('Debugger.resume');
      expect((await answered).status).toBe(200);
      // Nor is the thread paused in front of a debugger for a block that is none of its own.
      expect((await server.request('/loop')).status).toBe(200);
      expect([client.count('Debugger.paused'), client.count('Debugger.resumed')]).toEqual([1, 1]);
      expect(server.collector.dumps).toEqual([]);
      await client.close();
      const { last } = await server.block('/loop');
      expect(appLines(blockOf(last))).toContain(server.marks['loop']);
      expect(server.collector.dumps.filter(({ kind }) => kind === 'hang')).toEqual([]);
    });
  });

  test('--cpu-prof and --inspect, with nobody connected: the stack comes', async () => {
    await withServer({}, ['--cpu-prof', '--cpu-prof-dir=FOLDER', '--inspect=127.0.0.1:0'], async (server) => {
      const { last } = await server.block('/loop');
      expect(appLines(blockOf(last))).toContain(server.marks['loop']);
    });
  });

  test('a profiler of the application: the stack comes, and the profile is whole', async () => {
    await withServer({ tool: 'profiler' }, [], async (server) => {
      const { last } = await server.block('/loop');
      expect(appLines(blockOf(last))).toContain(server.marks['loop']);
      expect((await tool(server)).functions).toContain('endlessLoop');
    });
  });

  test.each(['exceptionsFromThread', 'exceptions', 'exceptionsResumed'] as const)(
    'a tool that pauses on every exception (%s) takes no block away, and goes on',
    async (name) => {
      await withServer({ tool: name }, [], async (server) => {
        const { reports, last, end, beganAt, endedAt } = await server.block('/throws');
        expect(end.follows).toBe(last?.id);
        // The stack, or why there is none: the two share the thread as it comes.
        for (const found of reports.map(blockOf))
          expect(found.stack.some((frame) => frame.function === 'throwAndCatch') || found.stackNote).toBeTruthy();
        // A pause that nobody ends would last for half a minute.
        expect(endedAt - beganAt).toBeLessThan(OPTIONS.blockMs + 5_000);
        if (name === 'exceptionsFromThread') return;
        const { exceptions } = await tool(server);
        expect(exceptions).toBeGreaterThan(0);
        await server.request('/throws');
        expect((await tool(server)).exceptions).toBeGreaterThan(exceptions);
        expect(server.collector.dumps.some(isBlock)).toBe(true);
      });
    },
  );
});
