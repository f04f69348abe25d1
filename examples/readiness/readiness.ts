import { selfTest } from '@hangwatch/core';

/** Why the application is not ready, or that it is. */
export interface Readiness {
  readonly ready: boolean;
  readonly why: string;
}

/**
 * Stages a hang until a collector has acknowledged its report, and then never again: a collector that goes away later must not take the
 * application out of service (its reports wait on disk).
 *
 * @returns a function that says how it stands
 */
export function proveReports(retryMs: number): () => Readiness {
  let state: Readiness = { ready: false, why: 'the self-test is running' };
  const attempt = async (): Promise<void> => {
    try {
      const result = await selfTest();
      // Switched off on purpose, as in a test environment: nothing to wait for.
      state = result.ok
        ? { ready: true, why: `${result.collector} has acknowledged dump ${result.dumpId}` }
        : { ready: true, why: result.skipped };
    } catch (error) {
      state = { ready: false, why: error instanceof Error ? error.message : String(error) };
      setTimeout(() => void attempt(), retryMs).unref();
    }
    console.log(state.why);
  };
  void attempt();
  return () => state;
}
