import { inInspector } from './same-thread-inspector.ts';

interface Property {
  name: string;
  value?: { objectId?: string };
}

const exchangeKey = 'hangwatch.bound-this';

/**
 * The object that each function made by `bind` is bound to; undefined for other functions, and where the runtime has no inspector. One
 * inspector session for all of them, connected for the call alone: a millisecond.
 *
 * @example
 * const [owner] = boundThis([emitter.listeners('drain')[0]]);
 */
export function boundThis(fns: readonly ((...args: never[]) => unknown)[]): unknown[] {
  const found: unknown[] = fns.map(() => undefined);
  const key = Symbol.for(exchangeKey);
  // The inspector reaches objects through expressions: functions and what is found are on the global object while it is asked.
  if (!Reflect.defineProperty(globalThis, key, { value: { fns, found }, configurable: true, enumerable: false }))
    return found;
  try {
    inInspector((post) => {
      const objectGroup = exchangeKey;
      const properties = (objectId: string | undefined) =>
        post('Runtime.getProperties', { objectId, ownProperties: true }) as {
          result?: Property[];
          internalProperties?: Property[];
        };
      const expression = `globalThis[Symbol.for('${exchangeKey}')].fns`;
      const { result } = post('Runtime.evaluate', { expression, objectGroup, silent: true }) as {
        result: { objectId?: string };
      };
      for (const { name, value } of properties(result.objectId).result ?? []) {
        if (!/^\d+$/.test(name) || value?.objectId === undefined) continue;
        const bound = properties(value.objectId).internalProperties?.find((each) => each.name === '[[BoundThis]]');
        if (bound?.value?.objectId === undefined) continue;
        post('Runtime.callFunctionOn', {
          objectId: bound.value.objectId,
          functionDeclaration: `function (i) { globalThis[Symbol.for('${exchangeKey}')].found[i] = this; }`,
          arguments: [{ value: Number(name) }],
          silent: true,
        });
      }
      post('Runtime.releaseObjectGroup', { objectGroup });
    });
    return found;
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
}
