import { defineConfig } from 'tsdown';
import { packageBuild } from '../../scripts/package-build.ts';

export default defineConfig(packageBuild({ entry: ['src/index.ts', 'src/validate.ts', 'src/sample.ts'] }));
