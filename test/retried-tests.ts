import type { Reporter, TestCase } from 'vitest/node';

/** What is read of a test. */
export type Tried = Pick<TestCase, 'fullName' | 'diagnostic' | 'result'> & {
  readonly module: Pick<TestCase['module'], 'relativeModuleId'>;
};

/**
 * A reporter for vitest that names, at the end of a run, the tests that passed at a second or third try, and how the first went: with `retry` they count
 * as passed, and what fails once in three would be seen by nobody.
 */
export class RetriedTests implements Reporter {
  readonly #retried: Tried[] = [];
  readonly #write: (text: string) => void;

  /** @param write where the list goes. @default stdout */
  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write;
  }

  onTestCaseResult(test: Tried): void {
    if ((test.diagnostic()?.retryCount ?? 0) > 0) this.#retried.push(test);
  }

  onTestRunEnd(): void {
    const passed = this.#retried.splice(0).filter((test) => test.result().state === 'passed');
    if (passed.length === 0) return;
    const lines = passed.map((test) => {
      const tries = (test.diagnostic()?.retryCount ?? 0) + 1;
      const [reason = ''] = (test.result().errors?.[0]?.message ?? '').split('\n');
      return `  ${test.module.relativeModuleId} > ${test.fullName}\n    passed at try ${tries}; at first: ${reason}\n`;
    });
    this.#write(
      `\nretried: ${passed.length} ${passed.length === 1 ? 'test' : 'tests'} did not pass at once\n${lines.join('')}`,
    );
  }
}
