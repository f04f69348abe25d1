// A plain server whose routes speak to hangwatch from inside a request: checkpoints with data, contexts that get lost, promises watched.
import http from 'node:http';
import { checkpoint, watchServer } from '@hangwatch/core';

const routes = {
  '/trail'(_request, _response) {
    checkpoint('order read', { orderId: 7, customer: { name: 'Ada', password: 'hunter2' }, token: 'abc' });
    checkpoint('without data');
    for (let i = 0; i < 3; i++) checkpoint(`step ${i}`, i);
    checkpoint('last', { url: 'https://user:pass@host/x?key=hidden' });
  },
};

const server = http.createServer((request, response) => {
  const route = routes[request.url];
  if (route === undefined) return response.writeHead(404).end();
  return route(request, response);
});
watchServer(server, { timeout: 600, scanInterval: 60 });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
