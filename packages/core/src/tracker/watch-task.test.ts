import { describe, expect, test } from 'vitest';
import { existingTracker } from './process/process-tracker.ts';
import { watchTask } from './watch-task.ts';

// Under a test runner hangwatch is off: what it does when it is on is tested in processes of their own.
describe('switched off, a task is a call', () => {
  test('what the function returns is returned, the same object', async () => {
    const promise = Promise.resolve(1);
    expect(watchTask('job', () => promise)).toBe(promise);
    expect(watchTask('job', () => 2)).toBe(2);
    expect(existingTracker()).toBeUndefined();
  });

  test('what it throws is thrown, and it is called once', () => {
    const error = new Error('no');
    let calls = 0;
    const fail = () => {
      calls += 1;
      throw error;
    };
    expect(() => watchTask('job', fail)).toThrow(error);
    expect(calls).toBe(1);
  });
});
