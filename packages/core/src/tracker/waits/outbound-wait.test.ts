import { expect, test } from 'vitest';
import { kOutbound } from '../../shared/slot-layout.ts';
import { OutboundWait } from './outbound-wait.ts';
import { testingRecord } from './testing-record.ts';

class Call extends OutboundWait {
  readonly type = 'http';
  readonly text: string;
  done = false;

  constructor(record: ReturnType<typeof testingRecord>, text: string) {
    super(record);
    this.text = text;
  }
  label(): string {
    if (this.text === 'throws') throw new Error('an application getter');
    return this.text;
  }
  override over(): boolean {
    return this.done;
  }
}

const labels = (record: ReturnType<typeof testingRecord>) => OutboundWait.of(record, 0).map(({ label }) => label);
const finished = (record: ReturnType<typeof testingRecord>) => record.cells[record.base + kOutbound];

test('oldest first, each with its own age', () => {
  const record = testingRecord();
  new Call(record, 'a');
  record.owner.clock[0] = 700;
  new Call(record, 'b');
  record.owner.clock[0] = 1_000;
  expect(OutboundWait.of(record, 1_000)).toEqual([
    { type: 'http', label: 'a', sinceMs: 1_000 },
    { type: 'http', label: 'b', sinceMs: 300 },
  ]);
});

test.each([
  [0, 'b c'],
  [1, 'a c'],
  [2, 'a b'],
])('number %i ends: it leaves the list, and that is progress, once', (index, left) => {
  const record = testingRecord();
  const calls = ['a', 'b', 'c'].map((text) => new Call(record, text));
  calls[index]?.end();
  calls[index]?.end();
  expect(labels(record).join(' ')).toBe(left);
  expect(finished(record)).toBe(1);
  for (const call of calls) call.end();
  expect(record.outbound).toBeUndefined();
  expect(finished(record)).toBe(3);
});

test('what is over without anybody telling is not shown, and the sweep counts it', () => {
  const record = testingRecord();
  const [a] = ['a', 'b'].map((text) => new Call(record, text));
  if (a !== undefined) a.done = true;
  expect(labels(record)).toEqual(['b']);
  expect(finished(record)).toBe(0);
  OutboundWait.sweep(record);
  expect(finished(record)).toBe(1);
});

test('an object that throws when it is read is shown all the same', () => {
  const record = testingRecord();
  new Call(record, 'throws');
  expect(labels(record)).toEqual(['a call that cannot be described']);
});

test('the oldest hundred are shown', () => {
  const record = testingRecord();
  for (let i = 0; i < 150; i++) new Call(record, `${i}`);
  expect(labels(record)).toHaveLength(100);
  expect(labels(record)[0]).toBe('0');
});

test('a request that is over holds none of its waits, and its waits move nobody’s numbers', () => {
  const record = testingRecord();
  const { cells } = record;
  const calls = ['a', 'b'].map((text) => new Call(record, text));
  record.clear();
  expect(record.outbound).toBeUndefined();
  for (const call of calls) call.end();
  expect(cells[kOutbound]).toBe(0);
});

test('calls made one after another keep nothing of each other', () => {
  const record = testingRecord();
  for (let i = 0; i < 10; i++) new Call(record, `${i}`).done = true;
  expect(finished(record)).toBe(9);
});
