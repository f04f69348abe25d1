import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HangwatchError } from '../../errors.ts';

/** CommonJS: on Node 20 an ES module never finishes loading while libuv's thread pool is full. */
const FILE = join('watchdog', 'watchdog.cjs');
/** Where `@hangwatch/core` may be found through, for package managers that show a package its own dependencies only. */
const ADAPTERS = ['@hangwatch/fastify', '@hangwatch/express', '@hangwatch/koa'];

/** Where to look for the watchdog's file. */
export interface WatchdogFilePlaces {
  /** URL of the module that asks: the package's own, or the bundle it has become part of. Bundlers to CommonJS leave nothing of it. */
  readonly self: string | undefined;
  /** Folders or files from which the application resolves packages, in order. */
  readonly from: readonly string[];
  /** Another version of the package speaks another language. */
  readonly version: string;
}

/**
 * The file of the watchdog's thread. It lies beside this one, until a bundler has made one file of the application: then it is
 * taken from the package, where that is installed beside the bundle.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_WATCHDOG_START`, with what to do, when it is nowhere
 */
export function findWatchdogFile({ self, from, version }: WatchdogFilePlaces): string {
  const own = self?.startsWith('file:') === true ? fileURLToPath(self) : undefined;
  if (own !== undefined && existsSync(join(dirname(own), FILE))) return join(dirname(own), FILE);
  const found = new Set<string>();
  for (const base of own === undefined ? from : [own, ...from]) {
    for (const through of [undefined, ...ADAPTERS]) {
      const installed = corePackage(base, through);
      if (installed === undefined) continue;
      const file = join(dirname(installed.manifest), 'dist', FILE);
      if (installed.version === version && existsSync(file)) return file;
      found.add(installed.version);
    }
  }
  const why =
    found.size === 0
      ? '@hangwatch/core is bundled, and not installed beside the bundle'
      : `@hangwatch/core ${version} is bundled, and the one that is installed is ${[...found].join(', ')}`;
  throw new HangwatchError(
    'HANGWATCH_ERR_WATCHDOG_START',
    `${why}, so the file of its thread cannot be found: mark @hangwatch/core as external in the bundler ` +
      '(esbuild: external, webpack: externals, Next.js: serverExternalPackages) and install it where the application runs',
  );
}

function corePackage(base: string, through: string | undefined): { manifest: string; version: string } | undefined {
  try {
    let resolve = createRequire(base);
    if (through !== undefined) resolve = createRequire(resolve.resolve(through));
    const manifest = resolve.resolve('@hangwatch/core/package.json');
    const { version } = resolve(manifest) as { version: string };
    return { manifest, version };
  } catch {
    return undefined;
  }
}
