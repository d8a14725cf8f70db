/** A copy of the project in which a guard can be taken out, and put back. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Guard, removeGuard } from './guard';

/** What is not source: produced, fetched, or another tool's. */
const LEFT_OUT = new Set(['node_modules', '.git', '.build', '.local', 'cdk.out', 'coverage']);

export class Tree {
  private constructor(readonly path: string) {}

  /** Copies the sources; packages are linked. */
  static copy(root: string, path: string): Tree {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    for (const name of readdirSync(root).filter((name) => !LEFT_OUT.has(name))) {
      cpSync(join(root, name), join(path, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
    return new Tree(path);
  }

  /**
   * Runs with the guard taken out.
   * @throws GuardNotFound
   */
  async without<T>(guard: Guard, run: () => Promise<T>): Promise<T> {
    const file = join(this.path, guard.file);
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, removeGuard(source, guard));
    try {
      return await run();
    } finally {
      writeFileSync(file, source);
    }
  }

  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
