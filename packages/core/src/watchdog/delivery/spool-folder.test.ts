import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepareSpoolFolder } from './spool-folder.ts';

const uid = process.geteuid?.() ?? -1;
const mode = (path: string) => lstatSync(path).mode & 0o7777;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

describe.skipIf(process.platform === 'win32')('prepareSpoolFolder', () => {
  it('creates a missing folder for this user alone, parents included', () => {
    const folder = prepareSpoolFolder(join(root, 'a', 'b'));
    expect(folder).toBe(join(root, 'a', 'b'));
    expect(mode(folder)).toBe(0o700);
    expect(lstatSync(folder).uid).toBe(uid);
    expect(prepareSpoolFolder(folder)).toBe(folder);
  });

  it('defaults to a folder of this user in the temporary folder', () => {
    vi.stubEnv('TMPDIR', root);
    expect(prepareSpoolFolder(undefined)).toBe(join(root, `hangwatch-spool-${uid}`));
    expect(mode(join(root, `hangwatch-spool-${uid}`))).toBe(0o700);
  });

  it.each(['folder', 'nothing'])('refuses a symbolic link to a %s', (target) => {
    if (target === 'folder') mkdirSync(join(root, 'target'), { mode: 0o700 });
    symlinkSync(join(root, 'target'), join(root, 'link'));
    expect(() => prepareSpoolFolder(join(root, 'link'))).toThrow(
      expect.objectContaining({ code: 'spool-refused', message: expect.stringContaining('symbolic link') }),
    );
  });

  it.skipIf(process.platform !== 'linux')('fails at once where no folder can be made', () => {
    expect(() => prepareSpoolFolder('/proc/self/nowhere/spool')).toThrow('ENOENT');
  });

  it('refuses what is no folder', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => prepareSpoolFolder(join(root, 'file'))).toThrow('it is not a folder');
  });

  it.skipIf(uid !== 0)('refuses a folder of another user, writable by all or not', () => {
    mkdirSync(join(root, 'theirs'), { mode: 0o700 });
    chownSync(join(root, 'theirs'), 12_345, 12_345);
    expect(() => prepareSpoolFolder(join(root, 'theirs'))).toThrow('it belongs to user 12345');
    chmodSync(join(root, 'theirs'), 0o777);
    expect(() => prepareSpoolFolder(join(root, 'theirs'))).toThrow('it belongs to user 12345');
  });

  it('makes a folder of its own in one that others can write to, and leaves that one as it is', () => {
    mkdirSync(join(root, 'shared'));
    chmodSync(join(root, 'shared'), 0o1777);
    const folder = prepareSpoolFolder(join(root, 'shared'));
    expect(folder).toBe(join(root, 'shared', `hangwatch-spool-${uid}`));
    expect(mode(folder)).toBe(0o700);
    expect(mode(join(root, 'shared'))).toBe(0o1777);
  });

  it('refuses that folder of its own when somebody has put a link in its place', () => {
    mkdirSync(join(root, 'shared'));
    chmodSync(join(root, 'shared'), 0o1777);
    mkdirSync(join(root, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(root, 'elsewhere'), join(root, 'shared', `hangwatch-spool-${uid}`));
    expect(() => prepareSpoolFolder(join(root, 'shared'))).toThrow('symbolic link');
  });

  it('uses a folder that others can only read, and does not touch its mode', () => {
    mkdirSync(join(root, 'readable'), { mode: 0o755 });
    expect(prepareSpoolFolder(join(root, 'readable'))).toBe(join(root, 'readable'));
    expect(mode(join(root, 'readable'))).toBe(0o755);
    expect(existsSync(join(root, 'readable', `hangwatch-spool-${uid}`))).toBe(false);
  });
});
