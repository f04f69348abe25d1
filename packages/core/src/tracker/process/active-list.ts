/** What libuv is at work on. Neither function is documented; where one is gone, there is nothing to look at. */
export function activeList(name: '_getActiveRequests' | '_getActiveHandles'): object[] {
  const get: unknown = Reflect.get(process, name);
  const active: unknown = typeof get === 'function' ? Reflect.apply(get, process, []) : [];
  return Array.isArray(active) ? active.filter((each) => typeof each === 'object' && each !== null) : [];
}
