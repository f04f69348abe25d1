import type { Http2ServerResponse } from 'node:http2';
import type { OutgoingResponse } from './http-messages.ts';

/** Whether the whole response went out; otherwise its client has left. Asked once it is closed. */
export function wasSent(response: OutgoingResponse): boolean {
  // The compatibility API of HTTP/2 calls `writableFinished` whatever is closed: https://github.com/nodejs/node/blob/main/lib/internal/http2/compat.js
  if (isHttp2(response)) return response.writableEnded && (response.stream?.rstCode ?? 0) === 0;
  return response.writableFinished;
}

function isHttp2(response: OutgoingResponse): response is Http2ServerResponse {
  return 'stream' in response;
}
