import Database from 'libsql';
import { expect, test } from 'vitest';
import { HangwatchCollectorError } from '../../collector-error.ts';
import { translateSqliteError } from './translate-sqlite-error.ts';

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('an error was expected');
}

test('a full disk is told from other failures', () => {
  const database = new Database(':memory:');
  database.exec('create table t (a)');
  database.pragma('max_page_count = 2');
  const full = errorOf(() => database.prepare('insert into t values (?)').run('x'.repeat(1_000_000)));
  expect(translateSqliteError(full)).toMatchObject({ code: 'HANGWATCH_ERR_STORE_FULL', status: 507, cause: full });
  const wrong = errorOf(() => database.prepare('select * from nothing'));
  expect(translateSqliteError(wrong)).toMatchObject({
    code: 'HANGWATCH_ERR_STORE',
    status: 503,
    message: expect.stringMatching(/^the store failed: .*/),
    cause: wrong,
  });
});

test('the collector’s own errors stay as they are', () => {
  const error = new HangwatchCollectorError('HANGWATCH_ERR_DUMP', 'wrong');
  expect(translateSqliteError(error)).toBe(error);
});
