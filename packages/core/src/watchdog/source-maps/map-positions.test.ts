import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { mapPositions } from './map-positions.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'hangwatch-maps-')));
const dist = join(root, 'dist');
const script = join(dist, 'server.js');
const source = join(root, 'src/server.ts');
const SOURCE = `interface Row {\n  id: number;\n}\n\nexport async function load(wait: () => Promise<Row>): Promise<Row> {\n  return await wait();\n}\n`;

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['dist', 'src', 'maps']) mkdirSync(join(root, folder), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function compile(options: { inlineSourceMap?: boolean; sourceRoot?: string } = {}): {
  js: string;
  map: Record<string, unknown>;
} {
  const { inlineSourceMap = false } = options;
  const { outputText, sourceMapText } = transpileModule(SOURCE, {
    fileName: source,
    compilerOptions: {
      module: ModuleKind.ESNext,
      target: ScriptTarget.ES2022,
      sourceMap: !inlineSourceMap,
      inlineSourceMap,
      ...(options.sourceRoot === undefined ? {} : { sourceRoot: options.sourceRoot }),
    },
  });
  const map = sourceMapText === undefined ? {} : (JSON.parse(sourceMapText) as Record<string, unknown>);
  return { js: outputText, map: { ...map, sources: ['../src/server.ts'] } };
}

/** Where `wait()` stands, 1-based. */
function positionOf(text: string): [number, number] {
  const lines = text.split('\n');
  const line = lines.findIndex((each) => each.includes('await wait()'));
  return [line + 1, (lines[line] ?? '').indexOf('wait()') + 1];
}

const ask = (...positions: [number, number][]) => mapPositions({ script, positions, cwd: root });
const [sourceLine, sourceColumn] = positionOf(SOURCE);
const expected = { file: source, line: sourceLine, column: sourceColumn, kind: 'app' };

describe('finds the source', () => {
  test('through a map in a file beside the script', () => {
    const { js, map } = compile();
    writeFileSync(script, js);
    writeFileSync(`${script}.map`, JSON.stringify(map));
    expect(ask(positionOf(js)).positions).toEqual([expected]);
  });

  test('through an inline map, relative to the script', () => {
    const { js } = compile({ inlineSourceMap: true });
    const [head = '', data = ''] = js.split('base64,');
    const map = { ...(JSON.parse(Buffer.from(data, 'base64').toString()) as object), sources: ['../src/server.ts'] };
    writeFileSync(script, `${head}base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`);
    expect(ask(positionOf(js)).positions).toEqual([expected]);
    writeFileSync(
      script,
      `${head.replace(';base64', '').replace(/;?$/, '')},${encodeURIComponent(JSON.stringify(map))}`,
    );
    expect(ask(positionOf(js)).positions).toEqual([expected]);
  });

  test('through an index map, a source root, a guard line, and a map elsewhere', () => {
    const { js, map } = compile();
    writeFileSync(script, `// banner\n// banner\n${js.replace('server.js.map', '../maps/all.map')}`);
    const sections = [
      { offset: { line: 2, column: 0 }, map: { ...map, sourceRoot: '../src', sources: ['server.ts'] } },
    ];
    writeFileSync(join(root, 'maps/all.map'), `)]}'\n${JSON.stringify({ version: 3, sections })}`);
    const [line, column] = positionOf(js);
    expect(ask([line + 2, column], [1, 3]).positions).toEqual([expected, null]);
  });

  test('of a place without a column: the first thing on its line', () => {
    const { js, map } = compile();
    writeFileSync(script, js);
    writeFileSync(`${script}.map`, JSON.stringify(map));
    expect(ask([positionOf(js)[0], 0]).positions).toMatchObject([{ line: sourceLine, column: 3 }]);
  });

  test('and says whose code it is', () => {
    const { js, map } = compile();
    writeFileSync(script, js);
    writeFileSync(`${script}.map`, JSON.stringify({ ...map, sources: ['../node_modules/pg/client.ts'] }));
    expect(ask(positionOf(js)).positions).toMatchObject([{ kind: 'dependency' }]);
    writeFileSync(`${script}.map`, JSON.stringify({ ...map, ignoreList: [0] }));
    expect(ask(positionOf(js)).positions).toMatchObject([{ kind: 'dependency', file: source }]);
  });

  test('none where the script has no map, or is not there', () => {
    writeFileSync(script, 'go();\n');
    expect(ask([1, 1])).toEqual({});
    rmSync(script);
    expect(ask([1, 1])).toEqual({});
  });
});

describe('a map that cannot be used is said, and nothing of it', () => {
  const name = (url: string) => writeFileSync(script, `go();\n//# sourceMappingURL=${url}\n`);

  test('missing', () => {
    name('server.js.map');
    expect(ask([1, 1])).toEqual({ problem: 'the source map that it names is not there' });
  });

  test.each([
    'root:x:0:0:secret',
    '',
    '[]',
    'null',
    '7',
    '{"version":3,"sources":7,"mappings":true}',
    '{"sections":[{}]}',
  ])('broken: %s', (text) => {
    name('server.js.map');
    writeFileSync(`${script}.map`, text);
    expect(ask([1, 1])).toEqual({ problem: 'its source map is broken' });
  });

  test.each(['https://example.org/a.map', 'http:a.map', 'file://host/a.map'])('elsewhere: %s', (url) => {
    name(url);
    expect(ask([1, 1]).problem).toMatch(/^its source map is not a file beside it/);
  });

  test.skipIf(process.platform === 'win32')('no file at all', () => {
    execFileSync('mkfifo', [join(dist, 'pipe')]);
    for (const url of ['pipe', '/dev/zero', '.']) {
      name(url);
      expect(ask([1, 1])).toEqual({ problem: 'its source map cannot be read' });
    }
  });

  test('too large', () => {
    name('server.js.map');
    writeFileSync(`${script}.map`, '');
    truncateSync(`${script}.map`, 65 * 1024 * 1024);
    expect(ask([1, 1])).toEqual({ problem: 'its source map is larger than 64 MiB' });
  });

  test('positions outside of everything stay as they are', () => {
    name('server.js.map');
    // Negative lines, a source that is not in the list, a line far beyond.
    for (const mappings of ['AADA', 'ACAA', 'AAAA']) {
      writeFileSync(`${script}.map`, JSON.stringify({ version: 3, sources: ['a.ts'], names: [], mappings }));
      const [first, beyond] = ask([1, 1], [4_000_000, 7]).positions ?? [];
      expect(beyond).toBe(null);
      if (mappings === 'AAAA') expect(first).toMatchObject({ line: 1, column: 1 });
      else expect(first).toBe(null);
    }
  });
});
