import type { Dump } from '@hangwatch/protocol';
import { HangwatchCollectorError } from '../collector-error.ts';
import type { NewDump } from './dump-store.ts';

/**
 * Makes a validated dump ready for a store. Its JSON is written anew rather than kept as sent: it then fits on one line, is
 * well-formed Unicode, and has no key twice, which other readers might resolve otherwise than validation did.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_DUMP` where unknown fields are nested too deeply to be written
 */
export function newDump(dump: Dump, receivedAt: Date): NewDump {
  try {
    return { dump, json: JSON.stringify(dump), receivedAt };
  } catch (cause) {
    throw new HangwatchCollectorError('HANGWATCH_ERR_DUMP', 'the dump is nested too deeply', {
      cause,
      issues: [{ path: '', message: 'is nested too deeply' }],
    });
  }
}
