/** What is wrong with one setting. `path` is empty when the file as a whole is at fault. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used: one message lists every fault. Callers print it and exit with `exitCode`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 2;

  constructor(
    readonly file: string,
    readonly faults: readonly Fault[],
  ) {
    super(describe(file, faults));
  }
}

function describe(file: string, faults: readonly Fault[]): string {
  const width = Math.max(...faults.map((fault) => fault.path.length));
  const lines = faults.map(({ path, message }) => `  ${path.padEnd(width)}${width > 0 ? '  ' : ''}${message}`);
  return [`${file} is not valid:`, ...lines].join('\n');
}
