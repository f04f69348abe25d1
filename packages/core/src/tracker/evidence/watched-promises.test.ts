import { describe, expect, test } from 'vitest';
import { WatchedPromises } from './watched-promises.ts';

const pending = () => new Promise(() => undefined);

describe('promises that a request watches', () => {
  test('are shown with label and age while they are pending', async () => {
    const watched = new WatchedPromises();
    let settle: () => void = () => undefined;
    watched.add(pending(), 'a connection', 100);
    watched.add(
      new Promise<void>((resolve) => {
        settle = resolve;
      }),
      'a job',
      200,
    );
    expect(watched.waits(1_000)).toEqual([
      { type: 'promise', label: 'a connection', sinceMs: 900 },
      { type: 'promise', label: 'a job', sinceMs: 800 },
    ]);
    settle();
    expect(watched.waits(1_000).map(({ label }) => label)).toEqual(['a connection']);
  });

  test('are 64 at most: settled ones go first, then the middle, never the oldest or the newest', () => {
    const watched = new WatchedPromises();
    watched.add(Promise.resolve(), 'settled', 0);
    for (let i = 0; i < 64; i++) watched.add(pending(), `pending ${i}`, 0);
    expect(watched.waits(0)).toHaveLength(64);
    for (let i = 64; i < 100; i++) watched.add(pending(), `pending ${i}`, 0);
    const labels = watched.waits(0).map(({ label }) => label);
    expect(labels).toHaveLength(64);
    expect([labels[0], labels.at(-1)]).toEqual(['pending 0', 'pending 99']);
  });
});
