import { setMaxListeners } from 'node:events';
import http from 'node:http';
import { send } from './http-client.mjs';

/**
 * Sends requests that are answered, each at its own pace, until it is stopped.
 *
 * @param {{ application: string, method: string, path: string, everyMs: number }[]} requests
 * @param {Map<string, string>} urls base URL of each application
 */
export function startHealthyTraffic(requests, urls) {
  // A server that is blocked closes idle connections late, with a request on them: each request has its own.
  const agent = new http.Agent({ keepAlive: false });
  const stopping = new AbortController();
  // Every request under way listens to it.
  setMaxListeners(0, stopping.signal);
  const counts = { sent: 0, answered: 0 };
  const failures = [];

  async function sendOne({ application, method, path }) {
    counts.sent++;
    try {
      const requestId = `healthy-${counts.sent}`;
      const { status } = await send(new URL(path, urls.get(application)), {
        method,
        requestId,
        agent,
        signal: stopping.signal,
      });
      if (status === 200) counts.answered++;
      else failures.push(`${application}: ${method} ${path} was answered with ${status}`);
    } catch (error) {
      if (!stopping.signal.aborted) failures.push(`${application}: ${method} ${path} failed: ${error.message}`);
    }
  }

  const timers = requests.map((request) => setInterval(sendOne, request.everyMs, request));
  return {
    counts,
    failures,
    stop() {
      timers.forEach(clearInterval);
      stopping.abort();
      agent.destroy();
    },
  };
}
