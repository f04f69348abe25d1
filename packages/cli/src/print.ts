import type { TextOutput } from './cli-io.ts';

/** Writes a line and waits until it is out. Where nobody reads any longer, it returns false. */
export function print(output: TextOutput, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    output.write(`${text}\n`, (error) => {
      if (!error) resolve(true);
      else if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) resolve(false);
      else reject(error);
    });
  });
}
