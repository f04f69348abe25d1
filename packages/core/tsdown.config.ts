import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';
import { packageBuild } from '../../scripts/package-build.ts';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

export default defineConfig(
  packageBuild({
    define: { __HANGWATCH_VERSION__: JSON.stringify(version) },
    entry: [
      'src/index.ts',
      'src/adapter.ts',
      'src/watchdog/watchdog.ts',
      'src/watchdog/delivery/spool-process.ts',
      'src/watchdog/source-maps/map-process.ts',
    ],
  }),
);
