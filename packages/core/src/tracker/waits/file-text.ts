import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { maskPath } from '../http/path-mask.ts';

/** A file as a dump may show it: relative to the working folder where it is below it, with what looks like an id or a secret masked. */
export function fileText(pathOrUrl: string): string {
  const path = pathOrUrl.startsWith('file:') ? fileURLToPath(pathOrUrl.replace(/[?#].*$/s, '')) : pathOrUrl;
  const inside = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) ? relative(process.cwd(), path) : path;
  const shown = inside.startsWith('..') || inside === '' ? path : `./${inside.replace(/^\.\//, '')}`;
  return maskPath(shown.replaceAll('\\', '/'));
}
