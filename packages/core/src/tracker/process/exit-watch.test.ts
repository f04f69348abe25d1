import type { DumpCrash } from '@hangwatch/protocol';
import { expect, test } from 'vitest';
import type { RequestRecord } from '../request-record.ts';
import { TaskSubject } from '../task-subject.ts';
import { testingRecord } from '../waits/testing-record.ts';
import { ExitWatch } from './exit-watch.ts';

/** What is reported as a process ends with this in flight. */
function atExit(records: (RequestRecord | undefined)[]): (DumpCrash | 'quiet')[] {
  const reported: (DumpCrash | 'quiet')[] = [];
  const before = process.listeners('exit');
  const watch = new ExitWatch({
    records,
    errorMessages: false,
    current: () => records[0],
    report: (crash) => reported.push(crash),
    endQuietly: () => reported.push('quiet'),
  });
  const ours = process.listeners('exit').filter((listener) => !before.includes(listener));
  for (const listener of ours) listener(0);
  watch.stop();
  return reported;
}

test('a process that ends while a task is in flight says so, unless the task is not watched', () => {
  const record = testingRecord();
  record.subject = new TaskSubject('nightly report', 0);
  expect(atExit([undefined, record])).toEqual([{ cause: 'exit', exitCode: 0 }]);
  record.unwatch();
  expect(atExit([undefined, record])).toEqual(['quiet']);
});

test('a request whose client waits is reported, and whose code it was that made the process exit', () => {
  expect(atExit([testingRecord(3)])).toEqual([{ cause: 'exit', exitCode: 0, running: 3 }]);
});

test('nothing in flight, or only what a self-test has staged, ends quietly', () => {
  expect(atExit([])).toEqual(['quiet']);
  const staged = testingRecord(2);
  staged.stage();
  expect(atExit([staged])).toEqual(['quiet']);
});
