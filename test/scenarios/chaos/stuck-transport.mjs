// A target of pino's transports that never comes back: its thread waits for a lock that nobody gives.
export default function stuckTransport() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
