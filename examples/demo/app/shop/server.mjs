import { hangwatch } from '@hangwatch/express';
import express from 'express';
import { migrate, openPool } from './database.mjs';
import { invoiceRoutes } from './invoices.mjs';
import { stockRoutes } from './stock.mjs';

// As many applications do: better a line in the log than a dead process.
process.on('unhandledRejection', (error) => {
  console.error('unhandled rejection:', error);
});

migrate();
const app = express();
app.use(hangwatch()); // collector, time-out and name come from HANGWATCH_* in the environment
app.use(express.json());
app.use(stockRoutes(openPool(2)));
app.use(invoiceRoutes(openPool(2)));
app.get('/catalogue', function listCatalogue(_request, response) {
  response.json(['lamp', 'chair']);
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
