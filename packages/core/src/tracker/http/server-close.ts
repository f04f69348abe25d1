/** The part of a server of Node's that is needed. */
interface Closable {
  close(this: unknown, ...args: unknown[]): unknown;
  once(event: 'close', listener: () => void): unknown;
}

const isClosable = (server: unknown): server is Closable => {
  const { close, once } = Object(server) as { close?: unknown; once?: unknown };
  return typeof close === 'function' && typeof once === 'function';
};

/**
 * Tells when a server is told to close, and when it has closed. Node says only the latter, so its `close` is called through a function of ours until
 * then; where somebody wraps that as well, theirs stays.
 */
export function onServerClose(server: unknown, begins: (server: object) => void, ends: (server: object) => void): void {
  if (!isClosable(server)) return;
  const { close } = server;
  const inherited = !Object.hasOwn(server, 'close');
  function closeTold(this: unknown, ...args: unknown[]): unknown {
    if (this === server) begins(server as Closable);
    return Reflect.apply(close, this, args);
  }
  const define = (value: unknown) =>
    Reflect.defineProperty(server, 'close', { value, configurable: true, enumerable: !inherited, writable: true });
  if (!define(closeTold)) return;
  server.once('close', () => {
    if (server.close === closeTold) {
      if (inherited) Reflect.deleteProperty(server, 'close');
      else define(close);
    }
    ends(server);
  });
}
