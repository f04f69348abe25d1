import { fileURLToPath } from 'node:url';
import { type NodeBinary, nodeBinaries, runScenario } from '@hangwatch/test-utils';
import { describe, expect, it } from 'vitest';

interface CaseResult {
  readonly name: string;
  readonly ok: boolean;
  /** Why the case can't work on this Node. */
  readonly skipped?: string;
  /** What can't be had, where that is so on every Node; the case checks what can. */
  readonly limit?: string;
}

interface GroupReport {
  readonly support: { readonly hooks: boolean; readonly stacks: boolean; readonly reasons: readonly string[] };
  readonly results: readonly CaseResult[];
}

export interface GroupOptions {
  /** How many cases and checks the group has: none may get lost. */
  readonly count: number;
  readonly execArgv?: readonly string[];
  readonly args?: readonly string[];
  /** Only on these. @default every Node of the matrix */
  readonly majors?: readonly number[];
  /** What the self-test is expected to say. @default all works */
  readonly reasons?: readonly RegExp[];
}

/** Runs a group of cases, in a process of its own, on each Node, and makes a test of each of its results. */
export async function describeGroup(group: string, options: GroupOptions): Promise<void> {
  const file = fileURLToPath(new URL(`../scenarios/stacks/${group}.mjs`, import.meta.url));
  const { execArgv, args, majors } = options;
  const run = async (binary: NodeBinary): Promise<{ binary: NodeBinary; report: GroupReport }> => {
    const { stdout, stderr } = await runScenario(file, { node: binary.path, execArgv, args, timeoutMs: 120_000 });
    const line = stdout.trim().split('\n').at(-1) ?? '';
    if (!line.startsWith('{')) throw new Error(`${group} on ${binary.version} gave no report\n${stdout}\n${stderr}`);
    return { binary, report: JSON.parse(line) as GroupReport };
  };
  // At once: they wait, mostly.
  const runs = await Promise.all(
    nodeBinaries()
      .filter(({ major }) => majors === undefined || majors.includes(major))
      .map(run),
  );
  const title = [...(execArgv ?? []), group, ...(args ?? [])].join(' ');
  describe.each(runs)(`${title} on Node $binary.version`, ({ report }) => {
    it(`has all ${options.count} results, of a tracker that works`, () => {
      expect(report.results).toHaveLength(options.count);
      const expected = options.reasons ?? [];
      expect(report.support.reasons).toHaveLength(expected.length);
      for (const [i, reason] of expected.entries()) expect(report.support.reasons[i]).toMatch(reason);
    });
    for (const result of report.results) {
      const { name, skipped, limit } = result;
      if (skipped !== undefined) it.skip(`${name} (${skipped})`);
      else
        it(limit === undefined ? name : `${name} (limit: ${limit})`, () =>
          expect(result, JSON.stringify(result)).toMatchObject({ ok: true }),
        );
    }
  });
}
