import { basename } from 'node:path';
import type { CallSite, ContextAwaits } from '@hangwatch/async-hooks-helpers';
import type { RequestRecord } from '../request-record.ts';

/** A request's part in the evaluation of a module. */
export interface Importer {
  readonly record: RequestRecord;
  /** When it began to wait for it. */
  readonly sinceClock: number;
  /** Where it imports it. */
  readonly site: CallSite | undefined;
}

/**
 * A module that is being evaluated on behalf of the request that was the first to import it, and that others import meanwhile. To them it is a lock: it
 * is held until its own code, which waits in the first one's context, has come to its end.
 */
export interface SharedModule {
  /** `./feature.mjs` */
  readonly name: string;
  /** What all of them wait for. */
  readonly promise: object;
  readonly holder: Importer;
  readonly waiters: readonly Importer[];
  /** Others that import something: it may need one of their modules, and would fail with that. */
  readonly strangers: readonly RequestRecord[];
}

/**
 * Which modules several requests import at once, and for which of them they are evaluated.
 *
 * Who evaluates one is known by the module's own code, which stands in its stacks; which promise stands for the evaluation, by its being awaited by others who
 * import something and evaluate nothing. Of a request with several imports under way it cannot be told which is which: then nothing is said.
 */
export function sharedModules(looked: ReadonlyMap<RequestRecord, ContextAwaits>): SharedModule[] {
  const [evaluating, waiting] = [new Map<RequestRecord, ContextAwaits>(), new Map<object, RequestRecord[]>()];
  for (const [record, awaits] of looked) {
    if (awaits.modules.length > 0) evaluating.set(record, awaits);
    else if (awaits.imports.length > 0) {
      for (const promise of awaits.unseen.keys()) waiting.set(promise, [...(waiting.get(promise) ?? []), record]);
    }
  }
  const importing = [...looked].filter(([, { imports }]) => imports.length > 0).map(([record]) => record);
  const modules: SharedModule[] = [];
  for (const [record, { imports, modules: own, unseen }] of evaluating) {
    const [promise, second] = [...unseen.keys()].filter((each) => waiting.has(each));
    if (promise === undefined || second !== undefined || imports.length !== 1) continue;
    if ([...evaluating].some(([other, awaits]) => other !== record && awaits.unseen.has(promise))) continue;
    const waiters = waiting.get(promise) ?? [];
    modules.push({
      name: `./${basename(own[0]?.file ?? '')}`,
      promise,
      holder: importerOf(record, looked, promise),
      waiters: waiters.map((each) => importerOf(each, looked, promise)),
      strangers: importing.filter((each) => each !== record && !waiters.includes(each)),
    });
  }
  return modules;
}

function importerOf(
  record: RequestRecord,
  looked: ReadonlyMap<RequestRecord, ContextAwaits>,
  promise: object,
): Importer {
  const awaits = looked.get(record);
  const frames = awaits?.imports.length === 1 ? (awaits.imports[0] ?? []) : [];
  const site = frames.find(({ kind }) => kind === 'app') ?? frames.find(({ kind }) => kind === 'dependency');
  return { record, sinceClock: awaits?.unseen.get(promise) ?? 0, site };
}
