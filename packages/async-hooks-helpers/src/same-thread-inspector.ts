import type { Session } from 'node:inspector';

type Post = (method: string, params?: object) => unknown;

/**
 * Runs `work` with an inspector session on this very thread, connected for that long only: an attached session delays the process's exit.
 * Undefined where there is no inspector, or it refuses. Opens no port.
 */
export function inInspector<T>(work: (post: Post) => T): T | undefined {
  const session = openSession();
  if (session === undefined) return undefined;
  try {
    return work((method, params) => {
      let answer: unknown;
      let failure: Error | null = null;
      // On the same thread the answer comes before `post` returns.
      session.post(method, params, (error: Error | null, result?: object) => {
        failure = error;
        answer = result;
      });
      if (failure !== null) throw failure;
      return answer;
    });
  } catch {
    return undefined;
  } finally {
    session.disconnect();
  }
}

/** Looked up when it is needed: some builds of Node have no inspector, and a static import of it would fail in them. */
function openSession(): Session | undefined {
  try {
    const inspector = process.getBuiltinModule?.('node:inspector');
    if (inspector === undefined) return undefined;
    const session = new inspector.Session();
    session.connect();
    return session;
  } catch {
    return undefined;
  }
}
