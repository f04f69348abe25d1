import type { RequestRecord } from '../request-record.ts';

// A class whose base constructor returns its argument puts its private field on that object: found again without a map, unseen by
// inspection and deep equality. https://tc39.es/ecma262/#sec-privatefieldadd
function itself(object: object): object {
  return object;
}
const Itself = itself as unknown as new (object: object) => object;

class RequestStamp extends Itself {
  #record: RequestRecord;
  constructor(request: object, record: RequestRecord) {
    super(request);
    this.#record = record;
  }
  static of(request: object): RequestRecord | undefined {
    return #record in request ? request.#record : undefined;
  }
}

interface Stamps {
  stamp(request: object, record: RequestRecord): void;
  of(request: object): RequestRecord | undefined;
}

/** One for the process: a request that an ESM copy entered is known to a CommonJS copy. */
const KEY = Symbol.for('hangwatch.request-stamp/1');
const registry = globalThis as { [KEY]?: Stamps };
if (registry[KEY] === undefined) {
  const stamps: Stamps = { stamp: (request, record) => void new RequestStamp(request, record), of: RequestStamp.of };
  Reflect.defineProperty(globalThis, KEY, { value: stamps });
}
// A hardened global object refuses the property; this copy then works alone.
const { stamp, of }: Stamps = registry[KEY] ?? {
  stamp: (request, record) => void new RequestStamp(request, record),
  of: RequestStamp.of,
};

/** Notes whose record a request has. Once a request: a second time throws. */
export const stampRequest: (request: object, record: RequestRecord) => void = stamp;

/**
 * The record of a request that has been entered, found without AsyncLocalStorage: contexts get lost in connection pools and event
 * emitters. Once the request is over the record is empty, and writing to it does nothing.
 */
export const recordOf: (request: object) => RequestRecord | undefined = of;
