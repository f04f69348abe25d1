const COMMENT = /(?:\/\/|\/\*)[#@]\s*sourceMappingURL=([^\s'"`]+)\s*(?:\*\/)?\s*$/;

/**
 * The URL that a script names its source map by: in a comment at the end of its last line of code or below it. Looked for from the end,
 * so that the same text inside a string, earlier in the file, is not taken for it. https://tc39.es/ecma426/#sec-linking-inline
 *
 * @example
 * sourceMappingUrl('go();\n//# sourceMappingURL=server.js.map\n'); // 'server.js.map'
 */
export function sourceMappingUrl(script: string): string | undefined {
  let end = script.length;
  while (end > 0) {
    const newline = script.lastIndexOf('\n', end - 1);
    const line = script.slice(newline + 1, end).trim();
    end = newline;
    const url = COMMENT.exec(commentOf(line))?.[1];
    if (url !== undefined) return url;
    if (line !== '' && !line.startsWith('//')) return undefined;
  }
  return undefined;
}

/** A minified script may be one line of megabytes: only what follows the last opening of such a comment is matched. */
function commentOf(line: string): string {
  const at = line.lastIndexOf('sourceMappingURL=');
  return at === -1 ? '' : line.slice(Math.max(0, at - 20));
}
