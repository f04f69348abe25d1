// A server of several sources, to be compiled, bundled and minified. Marks stand before each await that is suspended in `/hang`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { checkpoint, watchServer } from '@hangwatch/core';
import { slowly } from 'slow-lib';
import { lookup, type Row } from './lookup.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

class Orders {
  async find(id: number): Promise<Row> {
    /*@checkpoint*/ checkpoint('looking up');
    return /*@find*/ await slowly(async (): Promise<Row> => /*@job*/ await lookup(id));
  }
}

const orders = new Orders();
const routes: Record<string, Handler> = {
  async '/hang'(_request, response): Promise<void> {
    const row = /*@hang*/ await orders.find(7);
    response.end(row.name);
  },
};

const server = createServer(async (request, response) => {
  const handler = routes[request.url ?? ''] ?? (() => void response.writeHead(404).end());
  /*@handler*/ await handler(request, response);
});
watchServer(server, { timeout: 600, scanInterval: 60 });
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : undefined }));
});
