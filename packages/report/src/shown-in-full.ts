import type { Dump, DumpRequest } from '@hangwatch/protocol';

/** Whether a request is shown with its stacks, and not in the table alone: those that are stuck, and where none are, those of which there is more to show. */
export function isShownInFull(request: DumpRequest, { kind, crash }: Pick<Dump, 'kind' | 'crash'>): boolean {
  if (request.state === 'stuck' || kind === 'snapshot' || kind === 'shutdown') return true;
  return kind === 'crash' && (request.stacks.length > 0 || request.id === crash?.running);
}
