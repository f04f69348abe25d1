import { fileURLToPath } from 'node:url';
import type { UserConfig } from 'tsdown';

/** The build of every package: ESM and CJS side by side from the same source, each with its own declarations. */
export function packageBuild(
  options: Pick<UserConfig, 'define' | 'entry' | 'external' | 'copy' | 'noExternal'>,
): UserConfig {
  return {
    ...options,
    format: ['esm', 'cjs'],
    platform: 'node',
    target: 'node20.19',
    fixedExtension: false,
    dts: true,
    sourcemap: true,
    shims: false,
    clean: true,
    hash: false,
    logLevel: 'warn',
    // Without the path aliases and project references: types resolve through package.json, as they will for users. With them every
    // package's declarations would hold copies of the others'.
    tsconfig: fileURLToPath(new URL('../tsconfig.build.json', import.meta.url)),
  };
}

/**
 * The build of an adapter, whose CommonJS module is the function itself: `require('@hangwatch/express')(options)`. No generator of
 * declarations can say that of an ES module's source, so `src/index.d.cts` is written by hand, and a test holds it to the other.
 */
export function adapterBuild(): UserConfig[] {
  const common = packageBuild({ entry: ['src/index.ts'] });
  return [
    { ...common, format: 'esm' },
    {
      ...common,
      format: 'cjs',
      dts: false,
      // The first of the two cleans.
      clean: false,
      copy: [{ from: 'src/index.d.cts', to: 'dist/index.d.cts' }],
      outputOptions: {
        exports: 'named',
        footer: 'module.exports = Object.assign(exports.hangwatch, exports);',
      },
    },
  ];
}
