import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** What Node hands a server's `request` listener, over HTTP/1.1 or HTTP/2. */
export type IncomingRequest = IncomingMessage | Http2ServerRequest;

/** See {@link IncomingRequest}. */
export type OutgoingResponse = ServerResponse | Http2ServerResponse;
