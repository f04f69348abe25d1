import { Router } from 'express';

export function invoiceRoutes(pool) {
  const router = Router();
  const findInvoice = (id) =>
    pool.use(async (connection) => connection.prepare('SELECT id, cents FROM invoices WHERE id = ?').get(id));

  // The bug: Express 4 does not look at the promise that an async handler returns, so what it throws answers nobody.
  // mark: handler-that-throws +1
  router.get('/invoices/:id', async function showInvoice(request, response) {
    const invoice = await findInvoice(request.params.id);
    response.json({ id: invoice.id, total: (invoice.cents / 100).toFixed(2) });
  });

  return router;
}
