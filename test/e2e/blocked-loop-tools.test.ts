import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';
import { appLines, BlockedServer, blockOf, isBlock, NO_LIMIT } from './blocked-server.ts';
import { DebuggerClient } from './debugger-client.ts';

const THRESHOLD_MS = 200;
const OPTIONS = { blockedLoop: { threshold: THRESHOLD_MS }, blockMs: 1_000, watchdog: NO_LIMIT };

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

  test('a debugger that sits at a breakpoint: nothing is reported, and it stays there until the debugger lets it go; one that comes in the middle of a block ends it', async () => {
    await withServer({}, ['--inspect=127.0.0.1:0'], async (server) => {
      const client = await DebuggerClient.connect(server.scenario.stderr);
      await client.post('Runtime.enable');
      await client.post('Debugger.enable');
      // What a busy machine has done until then is over.
      await server.request('/ok');
      server.collector.dumps.length = 0;
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

      // A stack has been asked for, and comes when the call returns: it is let go at once, though a debugger has come in front of which it stands.
      const blocked = server.request('/long-exec');
      const report = await server.collector.next((dump) => isBlock(dump) && blockOf(dump).cause === 'child-process');
      const another = await DebuggerClient.connect(server.scenario.stderr);
      const enabled = another.post('Debugger.enable');
      expect((await blocked).status).toBe(200);
      await enabled;
      const end = await server.collector.next(({ kind, follows }) => kind === 'recovered' && follows === report.id);
      // A pause that nobody ends would last for half a minute.
      expect(end.block?.sinceMs).toBeLessThan(3 * OPTIONS.blockMs + 5_000);
      const told = server.collector.dumps.length;
      // What it has been told until then is here before the answer to this.
      await another.post('Runtime.enable');
      const [ours, ends] = [another.count('Debugger.paused'), another.count('Debugger.resumed')];
      const sitting = server.request('/breakpoint');
      await another.until('Debugger.paused', ours + 1);
      await sleep(5 * THRESHOLD_MS);
      expect(another.count('Debugger.resumed')).toBe(ends);
      await another.post('Debugger.resume');
      expect((await sitting).status).toBe(200);
      await another.close();
      expect(server.collector.dumps).toHaveLength(told);
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

  test.each(['exceptionsFromThread', 'exceptions', 'exceptionsResumed', 'pausesFromThread'] as const)(
    'a tool that pauses the thread again and again (%s) takes no block away, and goes on',
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
        if (name === 'pausesFromThread') {
          // It has had its pauses, before and after: none of them was taken for ours and ended for good.
          const { pauses } = await tool(server);
          expect(pauses).toBeGreaterThan(1);
          while ((await tool(server)).pauses <= pauses) await sleep(20);
          return;
        }
        const { exceptions } = await tool(server);
        expect(exceptions).toBeGreaterThan(0);
        await server.request('/throws');
        expect((await tool(server)).exceptions).toBeGreaterThan(exceptions);
        expect(server.collector.dumps.some(isBlock)).toBe(true);
      });
    },
  );
});
