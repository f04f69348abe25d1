import { expect, it } from 'vitest';
import { StderrWriter } from './stderr-writer.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';

/** A pipe of `room` bytes that nobody reads until a test makes room; and a writer on it. */
function pipeOf(room: number) {
  const pipe = { room, text: '', fail: undefined as string | undefined };
  const clock = new ManualClock();
  const writer = new StderrWriter({
    clock,
    open: () => (bytes) => {
      const code = pipe.fail ?? (pipe.room === 0 ? 'EAGAIN' : undefined);
      if (code) throw Object.assign(new Error(code), { code });
      const count = Math.min(pipe.room, bytes.length);
      pipe.room -= count;
      pipe.text += bytes.toString('utf8', 0, count);
      return count;
    },
  });
  return { pipe, clock, writer };
}

it('writes reports in order, each ended by a newline', async () => {
  const { pipe, writer } = pipeOf(1e6);
  expect(await Promise.all([writer.write('first'), writer.write('second\n')])).toEqual([true, true]);
  expect(pipe.text).toBe('first\nsecond\n');
});

it('goes on when there is room again', async () => {
  const { pipe, clock, writer } = pipeOf(5_000);
  const written = writer.write('x'.repeat(20_000));
  await clock.advance(1_000);
  expect(pipe.text).toHaveLength(5_000);
  pipe.room = 1e6;
  await clock.advance(200);
  expect(await written).toBe(true);
  expect(pipe.text).toBe(`${'x'.repeat(20_000)}\n`);
  expect(clock.pending).toBe(0);
});

it('gives a report up after 2 s, and says at the next success how many were lost', async () => {
  const { pipe, clock, writer } = pipeOf(0);
  const lost = [writer.write('one'), writer.write('two')];
  await clock.advance(2_200);
  expect(await lost[0]).toBe(false);
  await clock.advance(2_200);
  expect(await lost[1]).toBe(false);
  pipe.room = 1e6;
  expect(await writer.write('three')).toBe(true);
  expect(await writer.write('four')).toBe(true);
  expect(pipe.text).toBe('hangwatch: 2 earlier reports were lost: nobody read stderr\nthree\nfour\n');
});

it.each(['EPIPE', 'EBADF', 'ENOSPC'])('gives up at once at %s', async (code) => {
  const { pipe, clock, writer } = pipeOf(1e6);
  pipe.fail = code;
  expect(await writer.write('lost')).toBe(false);
  expect(clock.pending).toBe(0);
});

it('loses reports rather than to keep more than a megabyte waiting', async () => {
  const { clock, writer } = pipeOf(0);
  const results = Array.from({ length: 5 }, () => writer.write('x'.repeat(300_000)));
  const first = await Promise.race([Promise.all(results.slice(3)), settle().then(() => 'waits')]);
  expect(first).toEqual([false, false]);
  await clock.advance(10_000);
  expect(await Promise.all(results)).toEqual([false, false, false, false, false]);
});

it('lets the thread do other work between the pieces of a long report', async () => {
  const { clock, writer, pipe } = pipeOf(1e6);
  const written = writer.write('x'.repeat(900_000));
  expect(pipe.text.length).toBeLessThan(300_000);
  await clock.advance(10);
  expect(await written).toBe(true);
});

it('counts as lost what has no target', async () => {
  const writer = new StderrWriter({ clock: new ManualClock(), open: () => undefined });
  expect(await writer.write('lost')).toBe(false);
});

it('on close tries once more, then gives up what waits', async () => {
  const { pipe, clock, writer } = pipeOf(0);
  const results = [writer.write('x'.repeat(90)), writer.write('y'.repeat(90))];
  pipe.room = 100;
  writer.close();
  expect(await Promise.all(results)).toEqual([true, false]);
  expect(clock.pending).toBe(0);
});
