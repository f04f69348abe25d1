import type { DumpCrash } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { describe, expect, test } from 'vitest';
import { crashVerdict } from './crash-verdict.ts';

const { requests } = sampleDump();
const error = {
  class: 'TypeError',
  frames: [
    { function: 'emit', file: 'node:events', line: 1, column: 1, async: false, kind: 'node' as const },
    { function: 'pay', file: '/app/src/pay.ts', line: 31, column: 5, async: false, kind: 'app' as const },
  ],
};

describe('the sentence', () => {
  test.each<[DumpCrash, string]>([
    [
      { cause: 'uncaught-exception', error },
      'TypeError, made in pay (src/pay.ts:31:5), was not caught and ended the process',
    ],
    [
      { cause: 'uncaught-exception', exitCode: 143, error, handledMs: 6_000 },
      'the process exited with code 143, 6.0 s after TypeError, made in pay (src/pay.ts:31:5), was not caught, which the application handles',
    ],
    [{ cause: 'uncaught-exception' }, 'an error was not caught and ended the process'],
    [
      { cause: 'unhandled-rejection', error },
      'a rejection that nobody handled ended the process: TypeError, made in pay (src/pay.ts:31:5)',
    ],
    [
      { cause: 'unhandled-rejection', error: { class: 'string', frames: [] } },
      'a rejection that nobody handled ended the process: string',
    ],
    [{ cause: 'exit', exitCode: 5 }, 'the process exited with code 5'],
    [{ cause: 'died' }, 'the process ended without a word (killed, aborted, or the machine went down)'],
  ])('%j', (crash, text) => {
    expect(crashVerdict(crash, requests, 3, '/app').summary).toBe(
      `${text}, with 3 requests in flight; the oldest, GET /reports for 10.3 s`,
    );
  });

  test('whose code it was, where that request is in flight and the error ended the process', () => {
    const [, flusher] = requests;
    const named = `, in the context of #${flusher?.id} POST /logs/:name/flush, with 3 requests`;
    const of = (crash: DumpCrash) => crashVerdict(crash, requests, 3, '/app').summary;
    expect(of({ cause: 'uncaught-exception', error, running: 42 })).toContain(`ended the process${named}`);
    expect(of({ cause: 'exit', exitCode: 5, running: 42 })).toContain(`code 5${named}`);
    expect(of({ cause: 'uncaught-exception', error, handledMs: 5, running: 42 })).not.toContain('context');
    expect(of({ cause: 'exit', running: 4_711 })).not.toContain('context');
  });

  test('one in flight, or none', () => {
    expect(crashVerdict({ cause: 'died' }, requests.slice(0, 1), 1, '/').summary).toContain(
      'with one request in flight: GET /reports for 10.3 s',
    );
    expect(crashVerdict({ cause: 'died' }, [], 0, '/').summary).toContain('with nothing in flight');
  });
});

describe('the fingerprint', () => {
  const of = (...[crash, inFlight = requests]: [Parameters<typeof crashVerdict>[0], typeof requests?]) =>
    crashVerdict(crash, inFlight, inFlight.length, '/app').fingerprint;

  test('is that of the error, whatever was in flight', () => {
    const crash = { cause: 'uncaught-exception', error } as const;
    expect(of(crash)).toBe(of(crash, []));
    expect(of(crash)).not.toBe(of({ ...crash, error: { ...error, class: 'RangeError' } }));
  });

  test('is that of the routes where there is no error', () => {
    expect(of({ cause: 'died' })).toBe(of({ cause: 'died', renewedEveryMs: 7 }));
    expect(of({ cause: 'died' })).not.toBe(of({ cause: 'died' }, requests.slice(1)));
    expect(of({ cause: 'exit', exitCode: 0 })).not.toBe(of({ cause: 'exit', exitCode: 1 }));
  });
});
