import { afterEach, expect, test } from 'vitest';
import { ProblemReporter } from '../process/problem-reporter.ts';
import { ActiveResources } from '../resources/pending-resources.ts';
import { testingRecord } from '../waits/testing-record.ts';
import { describeError, errorClass } from './describe-error.ts';
import { requestEvidence } from './request-evidence.ts';

const { prepareStackTrace } = Error;
afterEach(() => {
  Error.prepareStackTrace = prepareStackTrace;
});

test('the class of an error is told without running code of the application', () => {
  const ran: string[] = [];
  Error.prepareStackTrace = (error) => {
    ran.push(error.message);
    return '';
  };
  class OrderError extends Error {}
  class Named extends Error {
    static override get name() {
      ran.push('name');
      return 'a secret';
    }
  }
  const getter = {
    get constructor() {
      ran.push('constructor');
      return Error;
    },
  };
  const proxy = new Proxy(new Error('x'), {
    get: () => ran.push('get'),
    getPrototypeOf: () => {
      ran.push('prototype');
      return null;
    },
  });
  const thrown = [
    new OrderError('x'),
    new TypeError('x'),
    new Named('x'),
    getter,
    proxy,
    Object.create(null),
    'text',
    null,
  ];
  expect(thrown.map(errorClass)).toEqual([
    'OrderError',
    'TypeError',
    'object',
    'object',
    'object',
    'object',
    'string',
    'object',
  ]);
  expect(ran).toEqual([]);
});

test('frames, and the message where it is asked for', () => {
  const error = new RangeError('too many');
  expect(describeError(error, false)).toMatchObject({ class: 'RangeError', frames: expect.any(Array) });
  expect(describeError(error, false)).not.toHaveProperty('message');
  expect(describeError(error, true)).toMatchObject({ message: 'too many' });
});

test('evidence that may call nothing of the application’s has the class of an error alone', () => {
  const ran: string[] = [];
  Error.prepareStackTrace = (error) => {
    ran.push(error.message);
    return '';
  };
  const record = testingRecord();
  record.outcome = 'rejected';
  record.rejection = new RangeError('application');
  const evidence = (problems?: ProblemReporter) =>
    requestEvidence(record, [], false, new Map(), problems, new ActiveResources());
  expect(evidence()?.error).toEqual({ class: 'RangeError', frames: [] });
  expect(ran).toEqual([]);
  evidence(new ProblemReporter(undefined));
  expect(ran).toEqual(['application']);
});
