import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FrameKind } from '@hangwatch/protocol';

/** webpack's own code in a bundle, and what stands in it for a module outside. */
const BUNDLER = /^(webpack\/(bootstrap|runtime)|external )/;

/**
 * The path of a source as a map names it, resolved: from a `file:` URL, or from webpack's `webpack://name/./src/a.ts`, which is relative to
 * the folder that the bundler ran in.
 *
 * @example
 * sourceName('webpack://shop/./src/a.ts', '/srv/shop'); // { file: '/srv/shop/src/a.ts', kind: 'app' }
 */
export function sourceName(source: string, cwd: string): { file: string; kind: FrameKind } {
  const bundled = /^webpack:\/\/[^/]*\/(.*)$/.exec(source)?.[1]?.replace(/\?[0-9a-f]*$/, '');
  if (bundled !== undefined && BUNDLER.test(bundled)) return { file: source, kind: 'dependency' };
  const file = bundled === undefined ? toPath(source) : resolve(cwd, bundled);
  return { file, kind: kindOf(file) };
}

/** Whose code a source is, by its path. */
function kindOf(file: string): FrameKind {
  if (file.startsWith('node:')) return 'node';
  if (/[\\/]node_modules[\\/](@hangwatch[\\/]|hangwatch[\\/])/.test(file)) return 'hangwatch';
  return /[\\/]node_modules[\\/]/.test(file) ? 'dependency' : 'app';
}

function toPath(source: string): string {
  if (isAbsolute(source)) return source;
  try {
    return source.startsWith('file:') ? fileURLToPath(source) : source;
  } catch (error) {
    // A `file:` URL with a host, or with a slash escaped in it: no path of this machine.
    if (error instanceof TypeError) return source;
    throw error;
  }
}
