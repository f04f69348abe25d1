import type { RequestRecord } from './request-record.ts';

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

/** Notes whose record a request has. Once a request: a second time throws. */
export function stampRequest(request: object, record: RequestRecord): void {
  new RequestStamp(request, record);
}

/**
 * The record of a request that has been entered, found without AsyncLocalStorage: contexts get lost in connection pools and event
 * emitters. Once the request is over the record is empty, and writing to it does nothing.
 */
export const recordOf: (request: object) => RequestRecord | undefined = RequestStamp.of;
