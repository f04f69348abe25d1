import { defineConfig } from 'tsdown';
import { adapterBuild } from '../../scripts/package-build.ts';

export default defineConfig(adapterBuild());
