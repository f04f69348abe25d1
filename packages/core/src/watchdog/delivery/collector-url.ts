/** A collector as it was configured, taken apart. */
export interface CollectorUrl {
  /** Where dumps go: `<base>/v1/dumps`, without credentials. */
  readonly url: URL;
  /** The base for people to read: no credentials, no query. */
  readonly label: string;
  /** `user:password@` of the URL as a header value; undefined if there is none. */
  readonly basicAuth: string | undefined;
}

/**
 * Reads a collector's base URL.
 *
 * @throws TypeError if it is no http or https URL
 * @example
 * parseCollectorUrl('http://127.0.0.1:4747/hangs/').url.href; // 'http://127.0.0.1:4747/hangs/v1/dumps'
 */
export function parseCollectorUrl(base: string): CollectorUrl {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError(
      `collector must be an http:// or https:// URL, got ${JSON.stringify(withoutCredentials(base))}`,
    );
  }
  const basicAuth =
    url.username === ''
      ? undefined
      : `Basic ${Buffer.from(`${decode(url.username)}:${decode(url.password)}`).toString('base64')}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  const path = url.pathname.replace(/\/+$/, '');
  const label = url.origin + path;
  url.pathname = `${path}/v1/dumps`;
  return { url, label, basicAuth };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A stray % means itself.
  }
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//');
}
