import type { CommandResult, Files } from '../../command';

/** Ends a twin as `exit` ends a script. */
export class Exit extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** What a twin has of its machine: the same programs and files as the script it stands for. */
export class Shell {
  private readonly lines: string[] = [];

  constructor(
    readonly env: Record<string, string>,
    readonly files: Files,
    private readonly command: (program: string, args: string[]) => Promise<CommandResult>,
  ) {}

  get stderr(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }

  log(line: string): void {
    this.lines.push(line);
  }

  fail(reason: string): never {
    throw new Exit(1, `error: ${reason}`);
  }

  again(reason: string): never {
    throw new Exit(75, `try again: ${reason}`);
  }

  run(program: string, ...args: string[]): Promise<CommandResult> {
    return this.command(program, args);
  }

  /** Of a program whose failure ends the script, as `set -e` does. */
  async must(program: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.command(program, args);
    if (stderr) this.log(stderr.trimEnd());
    if (exitCode !== 0) throw new Exit(exitCode, `${program} failed`);
    return stdout;
  }
}

/** One script. Resolves with what it prints last; throws Exit. */
export type Twin = (shell: Shell) => Promise<string>;
