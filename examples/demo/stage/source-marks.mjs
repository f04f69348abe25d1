import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** `// mark: NAME` is on the line that it names; `// mark: NAME +1` on the line above it. */
const MARK = /\/\/ mark: (?<name>[\w-]+)(?: \+(?<below>\d+))?$/;

/**
 * Finds every mark in the sources of a folder.
 *
 * @returns {Promise<Map<string, { file: string, line: number }>>} absolute paths, lines from 1
 */
export async function findMarks(folder) {
  const marks = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.mjs')) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const lines = (await readFile(file, 'utf8')).split('\n');
    lines.forEach((text, index) => {
      const found = MARK.exec(text)?.groups;
      if (found === undefined) return;
      if (marks.has(found.name)) throw new Error(`mark ${found.name} is there twice: ${file}:${index + 1}`);
      marks.set(found.name, { file, line: index + 1 + Number(found.below ?? 0) });
    });
  }
  return marks;
}
