import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { SEGMENT_BYTES } from '../../shared/slot-layout.ts';
import { HttpSubject } from '../http/http-subject.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import { Rules } from '../options/rules.ts';
import { Site } from '../places/site.ts';
import { RequestRecord } from '../request-record.ts';

/** A record of a request in flight, for unit tests: with a clock of its own, and nothing behind it. */
export function testingRecord(id = 1, line: { method?: string; url?: string } = {}): RequestRecord {
  const cells = new Uint32Array(new SharedArrayBuffer(SEGMENT_BYTES));
  const request = Object.assign(new IncomingMessage(new Socket()), line);
  const owner = {
    clock: new Uint32Array(1),
    running: new Uint32Array(1),
    seesAwaits: true,
    captureBudget: new Int32Array(1),
    followsResources: true,
    routeId: () => 0,
    site: (label: string) => new Site(label, 0),
    run: <A extends unknown[], R>(_: RequestRecord, fn: (...args: A) => R, ...args: A): R => fn(...args),
    current: () => undefined,
    noteResources: () => undefined,
    notesPromises: () => false,
    leave: (record: RequestRecord) => record.clear(),
    outboundEnded: () => undefined,
  };
  return new RequestRecord(
    id,
    owner,
    { index: 0, cells, base: 0, trail: undefined },
    new HttpSubject(request, new ServerResponse(request)),
    new Rules(resolveOptions({}, {})),
  );
}
