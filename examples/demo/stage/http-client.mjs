import http from 'node:http';

/**
 * Sends a request and waits for its whole answer, for ever if need be: unlike `fetch`, which gives up after five minutes.
 *
 * @param {{ method?: string, requestId?: string, agent?: http.Agent, signal?: AbortSignal }} [options]
 * @returns {Promise<{ status: number, body: string }>}
 */
export function send(url, { method = 'GET', requestId, agent, signal } = {}) {
  return new Promise((resolve, reject) => {
    const headers = requestId === undefined ? {} : { 'x-request-id': requestId };
    const request = http.request(url, { method, headers, agent, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}
