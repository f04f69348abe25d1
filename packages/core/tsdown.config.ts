import { defineConfig } from 'tsdown';
import { packageBuild } from '../../scripts/package-build.ts';

export default defineConfig(
  packageBuild({
    entry: [
      'src/index.ts',
      'src/adapter.ts',
      'src/watchdog/watchdog.ts',
      'src/watchdog/delivery/spool-process.ts',
      'src/watchdog/source-maps/map-process.ts',
    ],
  }),
);
