import { Router } from 'express';

export function stockRoutes(pool) {
  const router = Router();

  router.get('/stock/:sku', async function showStock(request, response, next) {
    try {
      const connection = await pool.acquire(); // mark: waits-for-connection
      const item = connection.prepare('SELECT sku, pieces FROM stock WHERE sku = ?').get(request.params.sku);
      if (item === undefined) {
        response.status(404).json({ error: 'no such item' });
        return; // the bug: the connection is not released
      }
      await pool.release(connection);
      response.json(item);
    } catch (error) {
      next(error);
    }
  });

  return router;
}
