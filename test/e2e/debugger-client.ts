import { WebSocket } from 'undici';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
}

/** A debugger: a client of the inspector's WebSocket, with nothing of Node's own in between. */
export class DebuggerClient {
  /** Names of the events that came. */
  readonly events: string[] = [];
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, () => void>();
  #waiting: (() => void)[] = [];
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#hear(JSON.parse(String(data)) as Message));
  }

  /** @param stderr what a process has said that was started with `--inspect` */
  static async connect(stderr: string): Promise<DebuggerClient> {
    const url = /ws:\/\/\S+/.exec(stderr)?.[0];
    if (url === undefined) throw new Error(`no inspector listens: ${stderr}`);
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`no debugger connects to ${url}`)));
    });
    return new DebuggerClient(socket);
  }

  /** Resolves when it is answered. */
  post(method: string): Promise<void> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }

  count(event: string): number {
    return this.events.filter((each) => each === event).length;
  }

  /** Resolves when an event has come so often. */
  async until(event: string, times = 1): Promise<void> {
    while (this.count(event) < times) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.addEventListener('close', () => resolve()));
    this.#socket.close();
    await closed;
  }

  #hear({ id, method }: Message): void {
    if (method !== undefined) this.events.push(method);
    if (id !== undefined) this.#answers.get(id)?.();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
