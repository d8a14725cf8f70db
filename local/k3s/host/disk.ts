import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Files } from '../command';
import { codeOf } from './system-error';

/** A machine's disk in a directory of this computer. */
export class DirectoryFiles implements Files {
  constructor(readonly root: string) {}

  read(path: string): string | undefined {
    try {
      return readFileSync(this.locate(path), 'utf8');
    } catch (error) {
      if (isAbsent(error) || isDirectory(error)) return undefined;
      throw error;
    }
  }

  write(path: string, content: string, mode?: number): void {
    const target = this.locate(path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content, { mode: mode ?? 0o644 });
    // `mode` above only counts for a new file, and less the umask.
    if (mode !== undefined) chmodSync(target, mode);
  }

  remove(path: string): void {
    rmSync(this.locate(path), { recursive: true, force: true });
  }

  list(directory: string): string[] {
    try {
      return readdirSync(this.locate(directory)).sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  private locate(path: string): string {
    return join(this.root, normal(path));
  }
}

/** A machine's disk in memory, for simulation. It knows no links and no modes. */
export class MemoryFiles implements Files {
  private readonly files = new Map<string, string>();

  read(path: string): string | undefined {
    return this.files.get(normal(path));
  }

  write(path: string, content: string): void {
    this.files.set(normal(path), content);
  }

  remove(path: string): void {
    const target = normal(path);
    for (const name of this.files.keys()) if (name === target || name.startsWith(`${target}/`)) this.files.delete(name);
  }

  list(directory: string): string[] {
    const prefix = normal(directory) === '/' ? '/' : `${normal(directory)}/`;
    const below = [...this.files.keys()].filter((name) => name.startsWith(prefix));
    return [...new Set(below.map((name) => name.slice(prefix.length).split('/')[0]!))].sort();
  }
}

/** `..` cannot leave the machine: an absolute path ends at its root. */
function normal(path: string): string {
  if (!path.startsWith('/')) throw new RangeError(`a machine's paths are absolute, this is not: ${path}`);
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

const isAbsent = (error: unknown) => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
const isDirectory = (error: unknown) => codeOf(error) === 'EISDIR';
