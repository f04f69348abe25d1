import { expect, test } from 'vitest';
import { unpackDump } from './parcel.ts';
import { type DeliveryProblem, Problems } from './problems.ts';
import { RecordKeeper } from './record-keeper.ts';
import { makeDump } from './testing/make-dump.ts';
import { settle } from './testing/manual-clock.ts';

test('a record that cannot be packed is said, and the next one is kept', async () => {
  const kept: string[] = [];
  const problems: DeliveryProblem[] = [];
  const spool = {
    keepRecord: async (gzip: Buffer) => void kept.push(unpackDump(gzip).id),
    forgetRecord: async () => void kept.push('forgotten'),
  };
  const keeper = new RecordKeeper(spool, new Problems((problem) => problems.push(problem)));
  const unpackable = Object.assign(makeDump('a'), {
    toJSON() {
      throw new Error('no');
    },
  });
  keeper.keep(unpackable);
  keeper.keep(makeDump('b'));
  await settle();
  keeper.keep(makeDump('c'));
  await settle();
  keeper.keep(undefined);
  await settle();
  expect(kept).toEqual(['b', 'c', 'forgotten']);
  expect(problems).toEqual([{ code: 'dump-unpackable', message: 'a record cannot be turned into JSON: Error: no' }]);
});
