import { setTimeout as delay } from 'node:timers/promises';
import { send } from './http-client.mjs';

/**
 * Makes one of the staged hangs happen.
 *
 * @param {string} baseUrl of its application
 * @param {{ signal: AbortSignal, onAnswer: (problem: string) => void }} options `onAnswer` is told when a request that should hang
 *   comes back
 * @throws {Error} when a request that prepares the ground is not answered as it should
 */
export async function stageHang(hang, baseUrl, { signal, onAnswer }) {
  for (const { method, path, status } of hang.before) {
    const answer = await send(new URL(path, baseUrl), { method, requestId: 'preparation', signal });
    if (answer.status !== status) {
      throw new Error(`${method} ${path} should be answered with ${status}, got ${answer.status}: ${answer.body}`);
    }
  }
  for (const { id, method, path, afterMs, block } of hang.requests) {
    if (afterMs !== undefined) await delay(afterMs, undefined, { signal });
    send(new URL(path, baseUrl), { method, requestId: id, signal }).then(
      ({ status }) => {
        // What only blocks is answered in the end.
        if (block !== undefined) return;
        onAnswer(`${hang.name}: ${method} ${path} should hang, and was answered with ${status}`);
      },
      (error) => {
        if (!signal.aborted) onAnswer(`${hang.name}: ${method} ${path} should hang, and failed: ${error.message}`);
      },
    );
  }
}
