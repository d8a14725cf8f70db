import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFiles, MemoryFiles } from '../../../../local/k3s/host/disk';

const directory = mkdtempSync(join(tmpdir(), 'k3s-ha-disk-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each([
  ['directory', () => new DirectoryFiles(join(directory, 'contract'))],
  ['memory', () => new MemoryFiles()],
])('a disk in a %s', (_kind, create) => {
  test('keeps what is written, lists it and removes it', () => {
    const files = create();
    expect(files.read('/a/b')).toBeUndefined();
    files.write('/a/b', 'one');
    files.write('/a/b', 'two');
    files.write('/a/c/d', 'three');
    expect(files.read('/a/b')).toBe('two');
    expect(files.read('/a/c')).toBeUndefined();
    expect(files.list('/a')).toEqual(['b', 'c']);
    expect(files.list('/')).toEqual(['a']);
    expect(files.list('/a/b')).toEqual([]);
    files.remove('/a/c');
    files.remove('/nowhere');
    expect(files.list('/a/')).toEqual(['b']);
  });

  test('cannot be left', () => {
    const files = create();
    files.write('/../../x', 'inside');
    expect(files.read('/x')).toBe('inside');
    expect(() => files.read('x')).toThrow('absolute');
  });
});

test('a secret file is for its owner only', () => {
  const files = new DirectoryFiles(join(directory, 'modes'));
  files.write('/secret', 'x');
  files.write('/secret', 'y', 0o600);
  expect(statSync(join(directory, 'modes/secret')).mode & 0o777).toBe(0o600);
});
