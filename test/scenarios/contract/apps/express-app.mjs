import { hangwatch } from '@hangwatch/express';
import * as probe from '../probe.mjs';
import { createServer } from './create-server.mjs';
import { closeServer } from './node-listener.mjs';

/** The same application on Express 4 and 5. Express 4 ignores what handlers return: there, rejections go to `next` by hand. */
export async function startExpress(express, watched, handlesPromises, scheme) {
  const safely = (fn) => (handlesPromises ? fn : (req, res, next) => void fn(req, res, next).catch(next));
  const app = express();
  let middleware;
  if (watched) {
    middleware = hangwatch(probe.options);
    app.use(middleware);
  }

  app.get('/ok', (_req, res) => void res.send('ok'));
  app.get('/json', (_req, res) => void res.cookie('a', '1').cookie('b', '2').json({ a: 1 }));
  app.get('/throw', () => {
    throw new Error('failed');
  });
  const later = async () => {
    await probe.tick();
    throw Object.assign(new Error('failed'), { status: 503 });
  };
  app.get('/reject', safely(later));
  app.get('/stream', (_req, res) => void probe.chunks().pipe(res));
  app.get('/partial', async (_req, res) => {
    res.write('some');
    await probe.hang(res);
  });
  const upload = async (req, res) => void res.json(await probe.digest(req));
  app.post('/upload', safely(upload));
  const als = async (_req, res) => void res.json(await probe.ownContext('mine'));
  app.get('/als', safely(als));
  app.get('/unhandled', (_req, res) => {
    res.send('ok');
    // Express 5 hands what is returned to the error handler; what is not returned is nobody's.
    if (handlesPromises) probe.failLater();
    else return probe.failLater();
  });
  app.get('/handled', (_req, res) => {
    res.send('ok');
    if (handlesPromises) probe.failHandled();
    else return probe.failHandled();
  });
  app.get('/leave', (_req, res) => {
    probe.leaveTwice();
    res.send('ok');
  });
  // The context gets lost on the way to `next`, as it does in many connection pools.
  app.get(
    '/lost',
    function losesContext(_req, _res, next) {
      probe.outside(next);
    },
    function afterwards(_req, res) {
      probe.note('afterwards');
      res.send('ok');
    },
  );

  const route = watched ? hangwatch.route : () => (_req, _res, next) => next();
  const waits = async (_req, res) => {
    await probe.hang(res);
  };
  app.get('/slow', route({ timeout: 120_000 }), waits);
  app.get('/off', route(false), waits);
  app.get(/^\/expression\/(\d+)/, waits);
  app.get(['/list/:one', '/other/:two'], waits);

  app.use('/guarded', async function middlewareHangs(_req, res) {
    await probe.hang(res);
  });

  const inner = express.Router({ mergeParams: true });
  inner.use(function innerFirst(_req, _res, next) {
    probe.note('innerFirst');
    next();
  });
  inner.get('/', async function innerRoot(_req, res) {
    await probe.hang(res);
  });
  inner.get('/items/:id/hang', async function itemHangs(_req, res) {
    await probe.hang(res);
  });
  inner.get(
    '/layers',
    function first(_req, _res, next) {
      probe.note('first');
      next();
    },
    function second(_req, _res, next) {
      probe.note('second');
      next(new Error('to the error handler'));
    },
  );
  const outer = express.Router();
  outer.use('/tenants/:tenant', inner);
  app.use('/api', outer);

  const mounted = express();
  if (watched) mounted.use(hangwatch({ timeout: 5_000 }));
  mounted.get('/things/:thing', async function thingHangs(_req, res) {
    await probe.hang(res);
  });
  app.use('/mounted/:version', mounted);

  app.use(function onError(error, _req, res, next) {
    probe.note('onError');
    if (error.message !== 'to the error handler') return next(error);
    res.status(418).send('handled');
  });

  const server = createServer(scheme, app);
  server.on('upgrade', probe.upgrade);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    close: async () => {
      await closeServer(server);
      await middleware?.close();
    },
  };
}
