import { unreadText, uploadText } from '../../shared/byte-texts.ts';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import { seconds } from './duration-text.ts';

/** The sentence for a request that waits for its client: to send the rest of its body, or to read the response. */
export function clientStalled({ client }: RequestEvidence): string | undefined {
  if (client === undefined) return undefined;
  const { unreadBytes, upload, answered, sinceMs } = client;
  if (unreadBytes > 0) {
    const whole = answered ? 'its response is written to the end, and' : 'it has begun its response, and';
    return `waits for its client to read: ${whole} ${unreadText(client)} of it have not been taken for ${seconds(sinceMs)}`;
  }
  if (upload === undefined) return undefined;
  return `waits for its client to send: ${uploadText(upload)} of its body have come, and no more for ${seconds(sinceMs)}`;
}
