/** What taking a stack needs of `inspector.Session`. */
export interface InspectorSession {
  on(
    event: 'Debugger.paused' | 'Debugger.resumed' | 'Debugger.scriptParsed',
    listener: (message: { params: unknown }) => void,
  ): void;
  post(method: string, params: object, answer: (error: Error | null, result?: unknown) => void): void;
  disconnect(): void;
}

/**
 * A session with the main thread, from this worker. It opens no port, and nothing here waits for the main thread.
 *
 * @throws in builds of Node without an inspector, and where it refuses
 */
export function openMainThreadSession(): InspectorSession {
  const inspector = process.getBuiltinModule('node:inspector');
  const session = new inspector.Session();
  session.connectToMainThread();
  return {
    on: (event, listener) => {
      session.on(event, listener);
    },
    post: (method, params, answer) => session.post(method, params, answer),
    disconnect: () => session.disconnect(),
  };
}
