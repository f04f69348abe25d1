import { createServer } from 'node:http';
import { hangwatch } from '@hangwatch/express';
import compression from 'compression';
import express from 'express';
import session from 'express-session';
import helmet from 'helmet';
import multer from 'multer';
import * as probe from '../probe.mjs';
import { closeServer } from './node-listener.mjs';

/** Express with what people add to it. */
export async function start(watched) {
  const app = express();
  const middleware = watched ? hangwatch(probe.options) : undefined;
  if (middleware !== undefined) app.use(middleware);
  app.use(helmet());
  app.use(compression({ threshold: 100 }));
  app.use(session({ secret: 'secret', genid: () => 'always-the-same', resave: false, saveUninitialized: true }));
  app.get('/ok', (_request, response) => response.send('ok'));
  app.get('/big', (_request, response) => response.json(Array.from({ length: 1_000 }, (_, i) => ({ i }))));
  app.get('/stream', (_request, response) => {
    response.type('text/plain');
    probe.chunks().pipe(response);
  });
  app.get('/session', (request, response) => {
    request.session.views = (request.session.views ?? 0) + 1;
    response.json({ views: request.session.views });
  });
  app.post('/upload', multer().single('file'), (request, response) => {
    const { fieldname, originalname, size } = request.file;
    response.json({ fieldname, originalname, size, field: request.body.field });
  });
  app.get('/hang', (_request, response) => probe.hang(response));
  const server = createServer(app);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    close: async () => {
      await closeServer(server);
      await middleware?.close();
    },
  };
}
