import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';
import { pendingText } from './format-pending.ts';

const place = { function: 'poll', file: '/srv/orders/src/poll.ts', line: 7, column: 5 };

test('type, number and place, as far as they are known', () => {
  expect(pendingText({ type: 'Timeout', count: 3, ...place }, '/srv/orders')).toBe(
    '3 Timeout, made in poll (src/poll.ts:7:5)',
  );
  expect(pendingText({ type: 'Timeout', ...place, function: '' }, '/srv/orders')).toBe(
    'Timeout, made at src/poll.ts:7:5',
  );
  expect(pendingText({ type: 'PROCESSWRAP' })).toBe('PROCESSWRAP');
});

test('is in the report of a stuck request, a bounded number of them, and so is what comes next', () => {
  const [request] = sampleDump().requests;
  if (request === undefined) throw new Error('the sample has a stuck request');
  const pending = Array.from({ length: 20 }, (_, i) => ({ type: `T${i}`, ...place }));
  const text = formatDump(sampleDump({ requests: [{ ...request, stacks: [], pending, notesPromises: true }] }));
  expect(text).toContain('  pending: T0, made in poll (src/poll.ts:7:5)\n');
  expect(text).toContain('  pending: T11,');
  expect(text).not.toContain('T12');
  expect(text).toContain('  … 8 more\n');
  expect(text).toContain('from now on requests of this route note where they make their promises');
});

test('a stack that says where a promise was made is told as such', () => {
  const [request] = sampleDump().requests;
  const awaits = [{ ageMs: 10_000, own: true, created: true }];
  const text = formatDump(sampleDump({ requests: request === undefined ? [] : [{ ...request, awaits }] }));
  expect(text).toContain('  a promise that it waits for was made:\n    at async log (src/lib.ts:3:47)  waiting 10 s');
});

test('that promises will be noted is said too where other work in its context has a stack', () => {
  const [request] = sampleDump().requests;
  const awaits = [{ ageMs: 10_000, own: false }];
  const text = formatDump(
    sampleDump({ requests: request === undefined ? [] : [{ ...request, awaits, notesPromises: true }] }),
  );
  expect(text).toMatch(/other work in its context:\n(.*\n)+ {2}from now on requests of this route note/);
});
