import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const HEADER_BYTES = 12;
const TYPE_A = 1;

/** A name server that answers for one name, with 127.0.0.1, until its network is gone. */
export class NameServer {
  /** Names that were asked for, each time. */
  readonly asked: string[] = [];
  readonly #name: string;
  readonly #socket: Socket = createSocket('udp4');
  /** Resolves when all has been told: the address, and that there is no other of IPv6. */
  readonly told: Promise<void>;
  #tell: () => void = () => undefined;
  readonly #answered = new Set<number>();
  #isDead = false;

  private constructor(name: string) {
    this.#name = name;
    this.told = new Promise((resolve) => {
      this.#tell = resolve;
    });
    this.#socket.on('message', (query, { port, address }) => {
      const answer = this.#answer(query);
      if (answer !== undefined) this.#socket.send(answer, port, address);
    });
  }

  static async start(name: string): Promise<NameServer> {
    const server = new NameServer(name);
    await once(server.#socket.bind(0, '127.0.0.1'), 'listening');
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** From now on nothing is answered. */
  die(): void {
    this.#isDead = true;
  }

  close(): void {
    this.#socket.close();
  }

  /** https://www.rfc-editor.org/rfc/rfc1035#section-4 */
  #answer(query: Buffer): Buffer | undefined {
    const labels: string[] = [];
    let at = HEADER_BYTES;
    for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join('.').toLowerCase();
    const type = query.readUInt16BE(at + 1);
    this.asked.push(name);
    if (this.#isDead || name !== this.#name) return undefined;
    const has = type === TYPE_A;
    this.#answered.add(type);
    if (this.#answered.size === 2) this.#tell();
    const header = Buffer.from(query.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(0x8180, 2);
    for (const [index, count] of [1, has ? 1 : 0, 0, 0].entries()) header.writeUInt16BE(count, 4 + 2 * index);
    // The name by a pointer to the question, then type, class, 300 s, and four bytes of address.
    const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 1, 44, 0, 4, 127, 0, 0, 1]);
    return Buffer.concat([header, query.subarray(HEADER_BYTES, at + 5), ...(has ? [record] : [])]);
  }
}
