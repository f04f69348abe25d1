import type { UserConfig } from 'tsdown';

/** The build of every package: ESM and CJS side by side from the same source, each with its own declarations. */
export function packageBuild(options: Pick<UserConfig, 'entry' | 'external' | 'copy' | 'noExternal'>): UserConfig {
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
    // Types resolve through package.json, as they will for users: never through the workspace's path aliases.
    tsconfig: 'tsconfig.json',
  };
}
