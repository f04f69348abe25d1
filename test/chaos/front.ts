import { connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of a connection. */
export type Manner = (socket: Socket) => void;

/** What stands in front of a collector: its first connections are treated badly, the others are passed on. */
export class Front {
  /** Treated badly so far. */
  mistreated = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  /**
   * @param target the collector's URL
   * @param manner how a connection is mistreated
   * @param times how many of them
   */
  constructor(target: string, manner: Manner, times: number) {
    const { port } = new URL(target);
    this.#server = createServer((socket) => {
      this.#keep(socket);
      if (this.mistreated < times) {
        this.mistreated += 1;
        manner(socket);
        return;
      }
      const onward = this.#keep(connect(Number(port), '127.0.0.1'));
      socket.pipe(onward).pipe(socket);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    return this;
  }

  /** Away: connections are refused. It can listen again, on the same port. */
  async leave(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
