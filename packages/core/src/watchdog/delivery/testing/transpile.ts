import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));

/** Writes this folder's sources as JavaScript to `folder`, for tests that need a process or thread of their own. */
export function transpileTo(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const file of readdirSync(SOURCES)) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const { outputText } = transpileModule(readFileSync(join(SOURCES, file), 'utf8'), {
      compilerOptions: {
        module: ModuleKind.ESNext,
        target: ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), outputText);
  }
}
