import { expect, test } from 'vitest';
import { sourceMappingUrl } from './source-mapping-url.ts';

test.each([
  ['last line', 'go();\n//# sourceMappingURL=a.js.map', 'a.js.map'],
  ['blank lines after it', 'go();\r\n//# sourceMappingURL=a.js.map\r\n\r\n', 'a.js.map'],
  ['at the end of a line of code', 'go(); //# sourceMappingURL=a.js.map\n', 'a.js.map'],
  ['old style', '//@ sourceMappingURL=a.js.map', 'a.js.map'],
  ['as a block', 'go();\n/*# sourceMappingURL=a.js.map */', 'a.js.map'],
  ['another comment after it', '//# sourceMappingURL=a.js.map\n//# debugId=1', 'a.js.map'],
  ['of two, the last', '//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map', 'b.map'],
  ['inline', 'go();\n//# sourceMappingURL=data:application/json;base64,e30=', 'data:application/json;base64,e30='],
  ['none', 'go();\n', undefined],
  ['empty', '', undefined],
  ['in a string, earlier', "const s = '//# sourceMappingURL=a.js.map';\ngo();", undefined],
  ['in a string, on the last line', "go('//# sourceMappingURL=a.js.map');", undefined],
  ['above code', '//# sourceMappingURL=a.js.map\ngo();', undefined],
])('%s', (_, script, url) => {
  expect(sourceMappingUrl(script)).toBe(url);
});

test('a minified script of megabytes on one line takes no time', () => {
  const script = `${'a("//# sourceMappingURL ");'.repeat(400_000)}\n//# sourceMappingURL=a.js.map`;
  const beganMs = performance.now();
  expect(sourceMappingUrl(script)).toBe('a.js.map');
  expect(sourceMappingUrl(script.slice(0, -30))).toBeUndefined();
  expect(performance.now() - beganMs).toBeLessThan(1_000);
});
