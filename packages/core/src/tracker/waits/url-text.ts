import { maskPath } from '../http/path-mask.ts';

/** A URL as a dump may show it: host and masked path, no credentials, no query. */
export function urlText(origin: string, path: string): string {
  const end = path.search(/[?#]/);
  const bare = end === -1 ? path : path.slice(0, end);
  // The path of a request through a proxy is a whole URL.
  const whole = /^(\w+:\/\/[^/]*)(.*)$/.exec(bare);
  return whole === null
    ? `${withoutCredentials(origin)}${maskPath(bare)}`
    : `${withoutCredentials(whole[1] ?? '')}${maskPath(whole[2] ?? '')}`;
}

const withoutCredentials = (origin: string): string => origin.replace(/\/\/[^/]*@/, '//');
