import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A Node to run scenarios with. */
export interface NodeBinary {
  /** `20`, `22`, … */
  readonly major: number;
  readonly version: string;
  readonly path: string;
}

/** Optional packages of the `test` workspace that carry a Node binary for linux-x64. */
const PACKAGES = ['node-22', 'node-24', 'node-26'];

/**
 * The Node that runs the tests, and those of the matrix. Where a binary of the matrix is not to be had (another platform), it is
 * left out, which is said; on CI, linux-x64, that is an error.
 *
 * @throws {Error} on Linux x64, when a binary of the matrix is missing
 */
export function nodeBinaries(): NodeBinary[] {
  const found = [describe(process.execPath)];
  for (const name of PACKAGES) {
    const path = fileURLToPath(new URL(`../../../test/node_modules/${name}/bin/node`, import.meta.url));
    if (existsSync(path)) {
      const binary = describe(path);
      if (!found.some(({ major }) => major === binary.major)) found.push(binary);
    } else if (process.platform === 'linux' && process.arch === 'x64') {
      throw new Error(`${name} is not installed: run \`npm run setup\``);
    } else {
      console.warn(
        `node-binaries: ${name} is not to be had on ${process.platform}-${process.arch}; its tests are left out`,
      );
    }
  }
  return found;
}

function describe(path: string): NodeBinary {
  const version =
    path === process.execPath ? process.version : spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim();
  return { major: Number(version.slice(1).split('.')[0]), version, path };
}
