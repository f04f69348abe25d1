/**
 * Early routers of Express 5 keep no path: the values that matched, as they stand in the URL, give way to their names. Which of several
 * equal segments was meant cannot be known: all give way, since none may be shown.
 */
export function replaceValues(url: string, params: Readonly<Record<string, unknown>>): string {
  const values = Object.entries(params).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((each): each is string => typeof each === 'string' && each !== '')
      .map((each) => ({ name: nameOf(name), texts: [each, encodeURIComponent(each)] })),
  );
  // Characters that nobody uses stand for the names until all values are gone: a value may be part of a name.
  const markOf = (i: number): string => String.fromCodePoint(PRIVATE_USE + i);
  let segments = url.split('/').map((text) => {
    const i = values.findIndex(({ texts }) => texts.includes(text));
    return i === -1 ? text : markOf(i);
  });
  // `/:name.:ending`
  values.forEach(({ texts }, i) => {
    for (const value of texts) segments = segments.map((text) => text.replaceAll(value, markOf(i)));
  });
  return values.reduce((pattern, { name }, i) => pattern.replaceAll(markOf(i), name), segments.join('/'));
}

/** https://www.unicode.org/faq/private_use.html */
const PRIVATE_USE = 0xf_0000;

/** Groups without a name have a number for one. */
export function nameOf(name: string | number): string {
  return /^\d+$/.test(String(name)) ? '*' : `:${name}`;
}
