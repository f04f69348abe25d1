const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * A URL's path with everything taken out that may name a person or open a door: the query, and segments that look like ids,
 * e-mail addresses, dates of birth or secrets become `*`.
 *
 * @example
 * maskPath('/users/4711?token=x') // '/users/*'
 */
export function maskPath(url: string): string {
  const end = url.search(/[?#]/);
  const path = end === -1 ? url : url.slice(0, end);
  const segments = path.slice(0, 2_048).split('/');
  return segments.map((segment) => (looksPrivate(segment) ? '*' : segment)).join('/');
}

function looksPrivate(segment: string): boolean {
  if (segment === '') return false;
  if (/^v\d{1,2}$/i.test(segment)) return false;
  if (/\d/.test(segment) && (/^[\d._:-]+$/.test(segment) || UUID.test(segment))) return true;
  if (/[@%;=]/.test(segment)) return true;
  if (/^[0-9a-f]{8,}$/i.test(segment)) return true;
  const digits = segment.replace(/\D/g, '').length;
  if (digits >= 3) return true;
  // Long runs without a word break are tokens rather than names.
  return segment.length >= 24 && !/^[a-z]+([-_.][a-z]+)+$/i.test(segment);
}
