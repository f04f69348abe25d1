import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { Snapshots } from './snapshots.ts';

test('whoever asks while one is under way gets the same; then another is asked for', async () => {
  const asked: number[] = [];
  const snapshots = new Snapshots((message) => message.type === 'dump' && asked.push(message.id) > 0);
  const both = [snapshots.ask(), snapshots.ask()];
  snapshots.answered(7, sampleDump());
  const dump = sampleDump();
  snapshots.answered(asked[0] ?? 0, dump);
  expect(await Promise.all(both)).toEqual([dump, dump]);
  const next = snapshots.ask();
  expect(asked).toHaveLength(2);
  snapshots.giveUp();
  expect(await next).toBeUndefined();
});

test('without a watchdog there is none', async () => {
  expect(await new Snapshots(() => false).ask()).toBeUndefined();
});
