import { cleanText } from './clean-text.ts';

/**
 * The path of a file as a person wants to read it: without `file://`, relative to `cwd` where it lies inside, from
 * the package on where it is a dependency, and safe to print.
 *
 * @param file - path or URL as V8 gives it
 * @param cwd - working directory of the process that the file belongs to
 * @example
 * ```ts
 * displayPath('file:///srv/app/src/lib.ts', '/srv/app'); // 'src/lib.ts'
 * displayPath('/srv/app/node_modules/.pnpm/pg@8/node_modules/pg/lib/client.js'); // 'node_modules/pg/lib/client.js'
 * ```
 */
export function displayPath(file: string, cwd?: string): string {
  const path = withoutScheme(file);
  const dependency = path.lastIndexOf('node_modules/');
  if (dependency !== -1) return cleanText(path.slice(dependency));
  return cleanText(relative(path, cwd));
}

/** The package that a file belongs to: `node_modules/pg-pool`, `node_modules/@scope/name`; undefined for other files. */
export function packageOf(file: string): string | undefined {
  const path = withoutScheme(file);
  const start = path.lastIndexOf('node_modules/');
  if (start === -1) return undefined;
  const [scope = '', name = ''] = path.slice(start + 'node_modules/'.length).split('/');
  return cleanText(`node_modules/${scope.startsWith('@') ? `${scope}/${name}` : scope}`, 80);
}

function withoutScheme(file: string): string {
  if (!file.startsWith('file://')) return file.replaceAll('\\', '/');
  const encoded = file.slice('file://'.length).replace(/^\/(?=[A-Za-z]:\/)/, '');
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // a stray % is part of the name
  }
}

function relative(path: string, cwd: string | undefined): string {
  if (cwd === undefined || cwd === '') return path;
  const folder = withoutScheme(cwd).replace(/\/$/, '');
  // The file system's root is everybody's working directory and nobody's project.
  return folder !== '' && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
