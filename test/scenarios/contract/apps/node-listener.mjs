import { checkpoint, watchServer } from '@hangwatch/core';
import * as probe from '../probe.mjs';

/** A listener without a framework. */
export function listener(request, response) {
  // By hand: what is no URL at all is asked for as well.
  const [pathname] = request.url.split(/[?#]/, 1);
  if (pathname !== '/handled') return answer(pathname, request, response);
  response.end('ok');
  return probe.failHandled();
}

async function answer(pathname, request, response) {
  const json = (value) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify(value));
  };
  switch (pathname) {
    case '/ok':
      response.end('ok');
      return;
    case '/json':
      json({ a: 1 });
      return;
    case '/throw':
    case '/reject':
      await probe.tick();
      response.statusCode = 500;
      response.end('failed');
      throw new Error('failed');
    case '/stream':
      probe.chunks().pipe(response);
      return;
    case '/partial':
      response.write('some');
      await probe.hang(response);
      return;
    case '/upload':
      json(await probe.digest(request));
      return;
    case '/als':
      json(await probe.ownContext('mine'));
      return;
    case '/unhandled':
      response.end('ok');
      return probe.failLater();
    case '/leave':
      probe.leaveTwice();
      response.end('ok');
      return;
    case '/hang':
      checkpoint('hanging');
      await probe.hang(response);
      return;
    case '/lost':
      queueMicrotask(() => response.end('ok'));
      return;
    default:
      response.statusCode = 404;
      response.end('not here');
  }
}

/** Starts a server made by `create`. */
export async function startListener(watched, server) {
  server.on('request', listener);
  server.on('upgrade', probe.upgrade);
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    listener(request, response);
  });
  server.once('request', () => undefined);
  if (watched) watchServer(server, probe.options);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, close: () => closeServer(server) };
}

export function closeServer(server) {
  server.closeAllConnections?.();
  return new Promise((resolve) => server.close(resolve));
}
