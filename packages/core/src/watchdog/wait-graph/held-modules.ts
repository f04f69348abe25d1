import type { DumpHold, DumpRequest } from '@hangwatch/protocol';
import { resourceText } from '../../shared/resource-text.ts';
import type { WaitSnapshot } from '../../shared/wait-snapshot.ts';

/** Modules that are evaluated for a request and that others wait for, by number of the request. */
export type HeldModules = ReadonlyMap<number, readonly DumpHold[]>;

export function heldModules({ parties, resources, claims }: WaitSnapshot): HeldModules {
  const held = new Map<number, DumpHold[]>();
  for (const { state, resource, party, sinceMs, site } of claims) {
    const { type, name } = resources[resource] ?? {};
    const holder = parties[party]?.request;
    if (state !== 'held' || type !== 'import' || name === undefined || holder === undefined) continue;
    const hold = { resource: resourceText(type, name), sinceMs, ...(site === undefined ? {} : { site }) };
    held.set(holder, [...(held.get(holder) ?? []), hold]);
  }
  return held;
}

/** The request with the modules that it holds; who asked for its evidence did not know of them yet. */
export function withHeldModules(request: DumpRequest, held: HeldModules | undefined): DumpRequest {
  const modules = held?.get(request.id);
  return modules === undefined ? request : { ...request, holds: [...(request.holds ?? []), ...modules] };
}
