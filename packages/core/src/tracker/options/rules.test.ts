import { describe, expect, test } from 'vitest';
import { FLAG_UNWATCHED, kFlags, kMaxDurationMs, kTimeoutMs } from '../../shared/slot-layout.ts';
import { testingRecord } from '../waits/testing-record.ts';
import { resolveConfiguration } from './resolve-configuration.ts';
import { resolveRouteOptions } from './route-override.ts';

/** A request in flight, and what holds for it. */
function setUp() {
  const record = testingRecord(1, { method: 'GET', url: '/sent?x=1' });
  const holds = () => ({
    timeoutMs: record.cells[record.base + kTimeoutMs],
    maxDurationMs: record.cells[record.base + kMaxDurationMs],
    watched: ((record.cells[record.base + kFlags] ?? 0) & FLAG_UNWATCHED) === 0,
    respondStatus: record.respondStatus,
    abort: record.abortsWhenStuck,
  });
  const configure = (change: object) => {
    record.rules.change(resolveConfiguration(change));
    record.applyRules();
  };
  const code = (options: unknown) => record.override(resolveRouteOptions(options, 'code'));
  return { record, holds, configure, code };
}

describe('what holds for a request', () => {
  test('is what its registration says, then its code, then the table of routes', () => {
    const { record, holds, configure, code } = setUp();
    configure({ timeout: 1, maxDuration: 10, respond: 503 });
    expect(holds()).toEqual({ timeoutMs: 1, maxDurationMs: 10, watched: true, respondStatus: 503, abort: false });
    code({ timeout: 2, abort: true });
    expect(holds()).toMatchObject({ timeoutMs: 2, maxDurationMs: 10, respondStatus: 503, abort: true });
    record.setRoute('/r/:id');
    configure({ routes: { '/r/:id': { timeout: 3, respond: false } } });
    expect(holds()).toMatchObject({ timeoutMs: 3, maxDurationMs: 10, respondStatus: 0, abort: true });
    configure({ routes: { 'GET /r/:id': { timeout: 4 } } });
    expect(holds()).toMatchObject({ timeoutMs: 4, respondStatus: 503 });
    configure({ routes: { 'GET /r/:id': {}, '/r/:id': {} } });
    expect(holds()).toMatchObject({ timeoutMs: 2 });
  });

  test('a route is looked up as soon as it is known, and by its path until then', () => {
    const { record, holds, configure } = setUp();
    configure({ timeout: 1, routes: { '/late': { timeout: 5 }, '/sent': { timeout: 6 } } });
    expect(holds()).toMatchObject({ timeoutMs: 6 });
    record.setRoute('/late');
    expect(holds()).toMatchObject({ timeoutMs: 5 });
  });

  test('not to watch a route can be said and taken back, also against its code', () => {
    const { record, holds, configure, code } = setUp();
    record.setRoute('/r');
    configure({ routes: { '/r': false } });
    expect(holds().watched).toBe(false);
    configure({ routes: { '/r': {} } });
    expect(holds().watched).toBe(true);
    code(false);
    expect(holds().watched).toBe(false);
    configure({ routes: { '/r': { timeout: 1 } } });
    expect(holds().watched).toBe(true);
    configure({ routes: { '/r': {} } });
    expect(holds().watched).toBe(false);
  });

  test('a request that is over is left alone', () => {
    const { record, configure } = setUp();
    record.leave(true);
    expect(() => configure({ timeout: 9 })).not.toThrow();
    expect(record.cells[record.base + kTimeoutMs]).toBe(0);
  });
});
