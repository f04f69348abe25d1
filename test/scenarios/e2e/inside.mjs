// A plain server whose routes speak to hangwatch from inside a request: checkpoints with data, contexts that get lost, promises watched.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { bind, checkpoint, currentRequest, watch, watchServer } from '@hangwatch/core';

const never = () => new Promise(() => {});
// Who emits runs in no request's context: what listeners do is nobody's, unless they were bound.
const bus = new EventEmitter();
setInterval(() => bus.emit('tick', 1, 2), 20).unref();
const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason.message));
const rejects = (ms) => new Promise((_, reject) => setTimeout(() => reject(new Error('private')), ms));

const routes = {
  '/trail'(_request, _response) {
    checkpoint('order read', { orderId: 7, customer: { name: 'Ada', password: 'hunter2' }, token: 'abc' });
    checkpoint('without data');
    for (let i = 0; i < 3; i++) checkpoint(`step ${i}`, i);
    checkpoint('last', { url: 'https://user:pass@host/x?key=hidden' });
  },
  /** A callback of somebody else's: bound, what it awaits is the request's; unbound, nobody's. */
  '/bound'() {
    const self = { name: 'self' };
    const listener = async function onTick(a, b) {
      checkpoint('in the callback', { self: this?.name ?? null, a, b, id: currentRequest()?.id ?? null });
      await never();
    };
    bus.once('tick', bind(listener).bind(self));
  },
  '/unbound'() {
    bus.once('tick', async () => {
      checkpoint('in the callback');
      await never();
    });
  },
  /** The binding outlives its request: then it is the function alone. */
  '/later'(_request, response) {
    bus.once(
      'tick',
      bind(() =>
        setTimeout(
          bind(() => results.push(currentRequest() === undefined)),
          50,
        ),
      ),
    );
    response.end();
  },
  '/watch'() {
    watch(never(), 'a connection of the pool');
    watch(Promise.resolve(1), 'settled');
    const lazy = { then: () => results.push('touched') };
    results.push(watch(lazy, 'lazy') === lazy, watch(7, 'no promise') === 7);
  },
  /** Watching must neither handle a rejection nor make one unhandled. */
  async '/rejections'(_request, response) {
    const handled = watch(rejects(10), 'handled');
    const alone = watch(rejects(20), 'unhandled');
    void alone;
    await handled.catch(() => 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    response.end(JSON.stringify(unhandled));
  },
  '/results'(_request, response) {
    response.end(JSON.stringify(results));
  },
};

const results = [];
const server = http.createServer((request, response) => {
  const route = routes[request.url];
  if (route === undefined) return response.writeHead(404).end();
  return route(request, response);
});
watchServer(server, { timeout: 600, scanInterval: 60 });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
