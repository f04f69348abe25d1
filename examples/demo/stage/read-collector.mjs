import { send } from './http-client.mjs';

/**
 * Reads what a collector holds, through its HTTP interface, as any other reader would.
 *
 * @param {string} url base URL of the collector
 */
export function readCollector(url) {
  const dumps = [];
  let cursor = '~0';

  return {
    /** Fetches the dumps that have arrived since the last call, oldest first. */
    async fetchNew() {
      const path = `/v1/dumps?after=${encodeURIComponent(cursor)}`;
      const { status, body } = await send(new URL(path, url));
      if (status !== 200) throw new Error(`the collector answered GET ${path} with ${status}: ${body}`);
      const page = JSON.parse(body);
      cursor = page.next;
      dumps.push(...page.dumps);
      return page.dumps;
    },
    /** All that were fetched so far. */
    all: () => [...dumps],
  };
}
