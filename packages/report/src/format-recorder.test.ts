import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';
import { recorderText } from './format-recorder.ts';

test('what happened before the hang is a table of ages, and what happened after it is left out', () => {
  const text = formatDump(sampleDump());
  expect(text).toContain(`before it:
    11 s ago  #38 ended an outbound call (http) after 1 s
    11 s ago  #38 GET /users/:id finished after 1 s
  10.3 s ago  #41 GET /reports entered
  10.1 s ago  #42 passed "flush begun"
  … 14 more, back to 1 h 4 min ago`);
});

test('of many the last are shown; without a recorder, or with an empty one, there is nothing', () => {
  const entries = Array.from({ length: 50 }, (_, i) => ({ type: 'finished', ageMs: 20_000 - i, request: i + 1 }));
  const recorder = { reachMs: 60_000, resolutionMs: 10, omitted: 2, entries };
  const lines = formatDump(sampleDump({ recorder })).split('\n');
  const first = lines.indexOf('before it:');
  expect(lines.slice(first + 1, first + 17)).toEqual([
    ...entries.slice(35).map(({ request }) => `  20 s ago  #${request} finished after less than 10 ms`),
    '  … 37 more, back to 1 min ago',
  ]);
  const short = formatDump(sampleDump({ recorder: { ...recorder, wantedMs: 120_000 } }));
  expect(short).toContain('the flight recorder reaches back 1 min only, less than twice the timeout (2 min)');
  expect(lines.join('\n')).not.toContain('reaches back');
  expect(formatDump(sampleDump({ recorder: undefined }))).not.toContain('before it');
  expect(formatDump(sampleDump({ recorder: { ...recorder, entries: [] } }))).not.toContain('before it');
});

test.each([
  [
    { type: 'left', request: 4, label: 'GET /x', durationMs: 2_000 },
    '#4 GET /x was left by its client, or cut off, after 2 s',
  ],
  [{ type: 'loop-lag', durationMs: 112.4 }, 'the event loop was late by 112 ms'],
  [{ type: 'checkpoint', request: 4, label: 'a "b"\u001b[31m' }, '#4 passed "a \\"b\\"'],
  [{ type: 'outbound', request: 4, durationMs: 0 }, '#4 ended an outbound call (unknown) after less than 1 s'],
  [{ type: 'a new kind', request: 4, label: 'x' }, '#4 a new kind x'],
])('%j', (entry, text) => {
  expect(recorderText({ ageMs: 1, ...entry }, { resolutionMs: 1_000 })).toContain(text);
  expect(recorderText({ ageMs: 1, ...entry }, { resolutionMs: 1_000 })).not.toContain('\u001b');
});
