import { beforeEach, expect, test } from 'vitest';
import { resolveConfiguration } from '../options/resolve-configuration.ts';
import { resolveRouteOptions } from '../options/route-override.ts';
import { testingRecord } from '../waits/testing-record.ts';
import { OrderChecks } from './order-checks.ts';

const record = () => testingRecord(1, { method: 'GET', url: '/export' });
let checked: string[];
let order: OrderChecks;
let subject: ReturnType<typeof record>;
beforeEach(() => {
  checked = [];
  subject = record();
  const { rules } = subject;
  order = new OrderChecks(rules, (other, timeoutMs, route) =>
    checked.push(`${other.name} ${other.ms}: ${timeoutMs} ${route ?? ''}`.trim()),
  );
  rules.order = order;
});
const configure = (change: object) => {
  subject.rules.change(resolveConfiguration(change));
  subject.applyRules();
};
const code = (timeout: number) => {
  subject.override(resolveRouteOptions({ timeout }, 'code'));
};
const next = () => checked.splice(0);

test("a server's time-outs are compared with the registration's timeout and those in the table of routes", () => {
  configure({ routes: { 'GET /other': { timeout: 77_000 }, '/off': false, '/quick': { respond: 503 } } });
  next();
  order.meet({ timeout: 5_000, requestTimeout: 300_000 });
  expect(next()).toEqual([
    'server.timeout 5000: 10000',
    'server.timeout 5000: 77000 GET /other',
    'server.requestTimeout 300000: 10000',
    'server.requestTimeout 300000: 77000 GET /other',
  ]);
});

test("a route's own timeout is compared when a request first has it, whichever of the two is seen first", () => {
  subject.setRoute('/export');
  code(70_000);
  order.meet({ timeout: 5_000 });
  expect(next()).toEqual(['server.timeout 5000: 10000', 'server.timeout 5000: 70000 GET /export']);
  code(70_000);
  expect(next()).toEqual([]);
  code(80_000);
  expect(next()).toEqual(['server.timeout 5000: 80000 GET /export']);
  // What its registration says has been compared already.
  code(10_000);
  expect(next()).toEqual([]);
});

test('all are compared again after a change of the rules, with what the server says by then', () => {
  const server = { timeout: 50_000 };
  order.meet(server);
  subject.setRoute('/export');
  code(60_000);
  next();
  server.timeout = 40_000;
  configure({ timeout: 45_000 });
  expect(next()).toEqual(['server.timeout 40000: 45000', 'server.timeout 40000: 60000 GET /export']);
  configure({ routes: { '/export': { timeout: 30_000 } } });
  expect(next()).toEqual([
    'server.timeout 40000: 45000',
    'server.timeout 40000: 30000 /export',
    'server.timeout 40000: 30000 GET /export',
  ]);
  // Nothing more is asked of one that has closed.
  order.forget(server);
  server.timeout = 1;
  configure({});
  expect(next().join()).not.toContain('server.timeout 1:');
});

test("a framework's time-out of one route is compared with what holds for that route", () => {
  const handlerTimeout = { name: 'handlerTimeout', ms: 5_000 };
  order.meetRoute({ other: handlerTimeout, method: 'GET', pattern: '/a', timeoutMs: undefined });
  order.meetRoute({ other: handlerTimeout, method: 'GET', pattern: '/b', timeoutMs: 4_000 });
  expect(next()).toEqual(['handlerTimeout 5000: 10000', 'handlerTimeout 5000: 4000 GET /b']);
  configure({ timeout: 2_000, routes: { '/b': { timeout: 9_000 } } });
  expect(next()).toEqual(['handlerTimeout 5000: 2000', 'handlerTimeout 5000: 9000 GET /b']);
  configure({ routes: { '/b': false } });
  expect(next()).toEqual(['handlerTimeout 5000: 2000']);
});

test('timeouts that an application makes up as it goes are remembered up to a number', () => {
  order.meet({ timeout: 5_000 });
  next();
  for (let i = 0; i < 1_000; i++) code(20_000 + i);
  expect(next().length).toBeLessThanOrEqual(100);
});
