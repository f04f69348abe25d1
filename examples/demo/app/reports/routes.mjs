import { execSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { audit, rotateAuditLog } from './audit-log.mjs';

const reports = [
  { id: 'q1', title: 'First quarter', total: 81_240.5 },
  { id: 'q2', title: 'Second quarter', total: 92_113.25 },
];

/** A month a line, as fast as the ledger is read. */
async function* ledgerLines() {
  yield 'month,total\n';
  for (let month = 1; month <= 36; month++) {
    await delay(100);
    yield `${month},${(1_000 * Math.abs(Math.sin(month))).toFixed(2)}\n`;
  }
}

export async function reportRoutes(app) {
  app.get('/reports', async function listReports() {
    return reports.map(({ id, title }) => ({ id, title }));
  });

  app.get('/reports/:id/print', async function printOneReport(request, reply) {
    const report = reports.find(({ id }) => id === request.params.id);
    if (report === undefined) return reply.code(404).send({ error: 'no such report' });
    const { printReport } = await import('./features/printable.mjs'); // mark: request-waits-for-import
    return reply.type('text/html').send(printReport(report));
  });

  app.post('/reports/:id/archive', async function archiveReport(_request, reply) {
    // The bug: the whole process waits for the command, here one that does nothing for three seconds.
    execSync('sleep 3'); // mark: waits-for-command
    return reply.code(201).send({ archived: true });
  });

  app.get('/ledger.csv', function exportLedger(_request, reply) {
    return reply.type('text/csv').send(Readable.from(ledgerLines()));
  });

  app.post('/audit-log', async function addEntry(_request, reply) {
    await audit('entry added by hand');
    return reply.code(201).send({ added: true });
  });

  app.post('/audit-log/rotate', async function rotate(_request, reply) {
    return reply.type('text/html').send(await rotateAuditLog());
  });
}
