import { expect, test } from 'vitest';
import { RetriedTests, type Tried } from './retried-tests.ts';

const tried = (fullName: string, retryCount: number, state: 'passed' | 'failed'): Tried => {
  const errors = [{ message: `expected ${fullName}\nwith a diff` }];
  return {
    fullName,
    module: { relativeModuleId: 'test/e2e/x.test.ts' },
    diagnostic: () => ({
      slow: false,
      heap: undefined,
      duration: 1,
      startTime: 1,
      retryCount,
      repeatCount: 0,
      flaky: state === 'passed' && retryCount > 0,
    }),
    result: () => (state === 'passed' ? { state, errors } : { state, errors }),
  };
};

test('names what passed at another try, and why it did not at first', () => {
  let said = '';
  const reporter = new RetriedTests((text) => {
    said += text;
  });
  for (const each of [tried('a', 0, 'passed'), tried('b', 2, 'passed'), tried('c', 2, 'failed')])
    reporter.onTestCaseResult(each);
  reporter.onTestRunEnd();
  expect(said).toBe(
    '\nretried: 1 test did not pass at once\n  test/e2e/x.test.ts > b\n    passed at try 3; at first: expected b\n',
  );
  // The next run of a watch begins anew.
  reporter.onTestRunEnd();
  expect(said.match(/retried/g)).toHaveLength(1);
});
