import { send } from './http-client.mjs';

/**
 * Reads what a collector holds, through its HTTP interface, as any other reader would.
 *
 * @param {string} url base URL of the collector
 */
export function readCollector(url) {
  const dumps = new Map();

  async function get(path) {
    const { status, body } = await send(new URL(path, url));
    if (status !== 200) throw new Error(`the collector answered GET ${path} with ${status}: ${body}`);
    return JSON.parse(body);
  }

  return {
    /** Fetches the dumps that have arrived since the last call, oldest first. */
    async fetchNew() {
      const { dumps: list } = await get('/v1/dumps?limit=100');
      const fresh = [];
      for (const { id } of list.reverse()) {
        if (dumps.has(id)) continue;
        const dump = await get(`/v1/dumps/${encodeURIComponent(id)}`);
        dumps.set(id, dump);
        fresh.push(dump);
      }
      return fresh;
    },
    /** All that were fetched so far. */
    all: () => [...dumps.values()],
  };
}
