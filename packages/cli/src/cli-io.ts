/** A stream that text is written to. */
export interface TextOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/** All that a command knows of the world outside, so that tests can be that world. See {@link processIo}. */
export interface CliIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /** Aborts when the person or the system wants the command to end, or nobody reads its output any longer. */
  stopSignal(): AbortSignal;
}

/** The world of the process: its streams and environment; SIGINT and SIGTERM as wish to end, a second one as order. */
export function processIo(): CliIo {
  const stop = new AbortController();
  let listening = false;
  // Whoever read the output has gone (`hangwatch tail | head`): no error, just the end.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stop.abort();
  });
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    now: () => new Date(),
    stopSignal() {
      // Only commands that ask for it change what a signal does.
      if (!listening) {
        listening = true;
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
      }
      return stop.signal;
    },
  };
}
