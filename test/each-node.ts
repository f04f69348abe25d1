import { type NodeBinary, nodeBinaries } from '@hangwatch/test-utils';
import { describe } from 'vitest';

/** The whole matrix. */
export const nodes: readonly NodeBinary[] = nodeBinaries();

/** For what hardly depends on the version: what is different in those between lies between. */
export const oldestAndNewest: readonly NodeBinary[] = nodes.filter((_, i) => i === 0 || i === nodes.length - 1);

/**
 * A suite for each Node of the matrix: the versions side by side, since their processes mostly wait, and the tests of one version one after the
 * other. What `define` keeps in variables belongs to one version; `expect.poll` is not for these tests (`vi.waitFor` is).
 *
 * @param binaries @default the whole matrix
 */
export function eachNode(define: (binary: NodeBinary) => void, binaries: readonly NodeBinary[] = nodes): void {
  describe.concurrent.each(binaries)('on Node $version', (binary) => {
    describe.sequential('one after the other', () => define(binary));
  });
}
