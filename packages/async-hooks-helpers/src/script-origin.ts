import { fileURLToPath } from 'node:url';

/** Whose code a frame is. */
export type FrameKind = 'app' | 'dependency' | 'node' | 'hangwatch';

/** What is known of a script from its name alone. */
export interface ScriptOrigin {
  /** Plain path for `file:` URLs, `node:…` for Node's own modules, otherwise the script's name as it is. */
  readonly file: string;
  readonly kind: FrameKind;
}

const OWN_INSTALLED = /[\\/]node_modules[\\/](@hangwatch[\\/]|hangwatch[\\/])/;
const OWN_FOLDER = /^(.*[\\/]packages[\\/])(?:async-hooks-helpers|core)[\\/](?:dist|src)[\\/].+$/;
const BUILT_OR_SOURCE = /^[^\\/]+[\\/](dist|src|bin)[\\/]/;
/** Script names are few, unless an application makes them up (`import('./x.mjs?' + n)`). */
const MAX_CACHED = 10_000;

const BUILTIN: ScriptOrigin = { file: '<builtin>', kind: 'node' };

/**
 * Makes a classifier for scripts by name. Sibling packages are known by where they are installed (`node_modules/@hangwatch/…`, which pnpm's
 * store paths end in too), or, in a checkout, by the folder that holds all packages: what a symlink resolves to has no `node_modules` in it.
 *
 * @param ownScript name of the script that holds this package or the core; bundled into an application it says nothing of its neighbours
 */
export function createScriptOrigins(ownScript: string): (script: string | null | undefined) => ScriptOrigin {
  const checkout = OWN_FOLDER.exec(toPath(ownScript))?.[1];
  const known = new Map<string, ScriptOrigin>();

  function kindOf(file: string): FrameKind {
    if (file.startsWith('node:') || file.startsWith('internal/')) return 'node';
    if (OWN_INSTALLED.test(file)) return 'hangwatch';
    if (checkout !== undefined && file.startsWith(checkout) && BUILT_OR_SOURCE.test(file.slice(checkout.length)))
      return 'hangwatch';
    return /[\\/]node_modules[\\/]/.test(file) ? 'dependency' : 'app';
  }

  return (script) => {
    if (script === null || script === undefined || script === '') return BUILTIN;
    const cached = known.get(script);
    if (cached !== undefined) return cached;
    const file = toPath(script);
    const origin: ScriptOrigin = { file, kind: kindOf(file) };
    if (known.size >= MAX_CACHED) known.clear();
    known.set(script, origin);
    return origin;
  };
}

/** A path for a `file:` URL (its query gone), anything else as it is. */
export function toPath(script: string): string {
  if (!script.startsWith('file:')) return script;
  try {
    return fileURLToPath(script);
  } catch {
    return script;
  }
}
