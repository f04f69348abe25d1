import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isPending } from '@hangwatch/async-hooks-helpers';
import type { RequestRecord } from '../request-record.ts';
import { OutboundWait } from './outbound-wait.ts';
import type { CurrentRecord } from './traced-calls.ts';

/** A query of `node:dns`, until it is answered. */
class DnsQuery extends OutboundWait {
  readonly type = 'dns';
  readonly #name: string;
  /** Of the functions that return one. Nothing is chained to it: that would end V8's walk to whoever awaits it. */
  answer: unknown;

  constructor(record: RequestRecord, name: unknown) {
    super(record);
    this.#name = typeof name === 'string' ? name.slice(0, 253) : '(not known)';
  }

  override over(): boolean {
    return this.answer instanceof Promise && !isPending(this.answer);
  }

  label(): string {
    return `DNS lookup of ${this.#name}`;
  }
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** `resolve`, `resolve4`, `resolveMx`, …, `reverse`. */
const QUERY = /^(resolve\w*|reverse)$/;

/**
 * Queries of `node:dns` through its resolvers, and the look-ups of `dns.promises`. Nothing tells of them: no channel, no frame, no active request.
 * So their functions, and no others of Node's, stand behind a proxy: same name, same properties, same results and exceptions. `dns.lookup` is
 * left alone: sockets use it, and tell of it themselves.
 *
 * @returns puts the functions back, where nobody has replaced them since
 */
export function watchDnsQueries(current: CurrentRecord): () => void {
  const undo: (() => void)[] = [];
  const { promises } = dns;
  const targets: [object, RegExp, boolean][] = [
    [dns.Resolver.prototype, QUERY, false],
    [dns, QUERY, false],
    [promises.Resolver.prototype, QUERY, true],
    [promises, /^(resolve\w*|reverse|lookup|lookupService)$/, true],
  ];
  for (const [target, names, isPromised] of targets) {
    for (const [name, { value, writable }] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
      if (!names.test(name) || typeof value !== 'function' || writable !== true) continue;
      const proxy = isPromised ? promised(value, current) : calledBack(value, current);
      Reflect.set(target, name, proxy);
      undo.push(() => {
        if (Reflect.get(target, name) === proxy) Reflect.set(target, name, value);
      });
    }
  }
  syncBuiltinESMExports();
  return () => {
    for (const each of undo.splice(0)) each();
    syncBuiltinESMExports();
  };
}

function promised(original: AnyFunction, current: CurrentRecord): AnyFunction {
  return new Proxy(original, {
    apply(fn, thisValue, args) {
      const answer: unknown = Reflect.apply(fn, thisValue, args);
      // After the call: what throws at once has begun nothing.
      const record = current();
      if (record !== undefined) new DnsQuery(record, args[0]).answer = answer;
      return answer;
    },
  });
}

function calledBack(original: AnyFunction, current: CurrentRecord): AnyFunction {
  return new Proxy(original, {
    apply(fn, thisValue, args) {
      const record = current();
      const callback: unknown = args.at(-1);
      if (record === undefined || typeof callback !== 'function') return Reflect.apply(fn, thisValue, args);
      let query: DnsQuery | undefined;
      const result = Reflect.apply(fn, thisValue, [
        ...args.slice(0, -1),
        function (this: unknown, ...answer: unknown[]) {
          query?.end();
          return Reflect.apply(callback, this, answer);
        },
      ]);
      query = new DnsQuery(record, args[0]);
      return result;
    },
  });
}
