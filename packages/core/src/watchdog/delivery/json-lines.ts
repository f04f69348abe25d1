import type { Readable, Writable } from 'node:stream';

/**
 * Calls back with each line of JSON that a stream brings from another process of ours. Lines that are none are not ours:
 * preloaded libraries have been seen to print to stdout.
 */
export function readJsonLines<T>(stream: Readable, onValue: (value: T) => void): void {
  let pieces: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = text.split('\n');
    // Joined once a line: a dump comes in hundreds of pieces.
    for (const [index, line] of lines.entries()) {
      pieces.push(line);
      if (index === lines.length - 1) break;
      const whole = pieces.join('');
      pieces = [];
      if (whole.startsWith('{')) onValue(JSON.parse(whole) as T);
    }
  });
}

/** Writes a value as one line of JSON. */
export function writeJsonLine(stream: Writable, value: unknown): void {
  stream.write(`${JSON.stringify(value)}\n`);
}
