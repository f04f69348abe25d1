import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Dump } from '@hangwatch/protocol';
import { parseDump } from '@hangwatch/protocol/validate';

/** A collector that keeps what it gets in memory, and refuses what is no dump: what a process sends, seen by a test. */
export class CollectorStub {
  readonly dumps: Dump[] = [];
  readonly refused: string[] = [];
  readonly #server: Server;
  #waiting: (() => void)[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#receive(request).then(
        (status) => response.writeHead(status).end(),
        () => response.writeHead(500).end(),
      );
    });
  }

  static async start(): Promise<CollectorStub> {
    const stub = new CollectorStub();
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The first dump that satisfies `accept`; waits for it. The test's own timeout is the limit. */
  async next(accept: (dump: Dump) => boolean = () => true): Promise<Dump> {
    for (;;) {
      const found = this.dumps.find(accept);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    const parsed = parseDump(JSON.parse(text));
    if (!parsed.ok) {
      this.refused.push(JSON.stringify(parsed.issues));
      return 400;
    }
    this.dumps.push(parsed.dump);
    for (const wake of this.#waiting.splice(0)) wake();
    return 202;
  }
}
