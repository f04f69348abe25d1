// An application that does nothing but to hang, and to report it: started by `hangwatch doctor`, which reads the line that it prints.
import { createServer } from 'node:http';
import { selfTest, watchServer } from '@hangwatch/core';

/** The line. */
export type StagedResult =
  | { readonly ok: true; readonly dumpId: string; readonly acknowledgedMs: number }
  | { readonly ok: false; readonly message: string };

async function stage(): Promise<StagedResult> {
  const options = { enabled: true, service: 'hangwatch doctor', scanInterval: 100, onInternalError: () => undefined };
  const server = createServer();
  const watch = watchServer(server, options);
  // Nothing else keeps the process: neither the watchdog nor a hang does.
  server.listen(0, '127.0.0.1');
  try {
    const result = await selfTest();
    return result.ok
      ? { ok: true, dumpId: result.dumpId, acknowledgedMs: result.acknowledgedMs }
      : { ok: false, message: result.skipped };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  } finally {
    // With the report that it has recovered.
    await watch.close();
    server.close();
  }
}

void stage().then((result) => console.log(JSON.stringify(result)));
