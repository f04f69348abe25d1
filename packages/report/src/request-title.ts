import type { DumpRequest } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';

/** `#41 GET /reports/:id`, safe to print. */
export function requestTitle(request: Pick<DumpRequest, 'id' | 'method' | 'route' | 'path'>): string {
  return `#${request.id} ${cleanText(request.method, 20)} ${cleanText(request.route || request.path, 120)}`;
}
