import { expect, test } from 'vitest';
import { kTimeoutMs } from '../shared/slot-layout.ts';
import { requestEvidence } from './evidence/request-evidence.ts';
import { resolveConfiguration } from './options/resolve-configuration.ts';
import { ActiveResources } from './resources/pending-resources.ts';
import { TaskSubject } from './task-subject.ts';
import { testingRecord } from './waits/testing-record.ts';

function taskRecord() {
  const record = testingRecord();
  record.subject = new TaskSubject('nightly report', 0);
  record.setRoute('nightly report');
  return record;
}

test('evidence of a task has its name, and no client, request id or answer', () => {
  const evidence = requestEvidence(taskRecord(), [], true, new Map(), undefined, new ActiveResources());
  expect(evidence).toMatchObject({
    method: 'TASK',
    route: 'nightly report',
    path: 'nightly report',
    requestId: undefined,
    traceId: undefined,
    client: undefined,
    waitsFor: [],
    openEnded: false,
  });
});

test('routes name it as reports do', () => {
  const record = taskRecord();
  record.rules.change(resolveConfiguration({ routes: { 'TASK nightly report': { timeout: 77 } } }));
  record.applyRules();
  expect(record.cells[record.base + kTimeoutMs]).toBe(77);
});
