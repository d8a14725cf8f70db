/** What people see of simulations. */
import type { Simulation } from '../../test/simulation/simulate';

const BAR = 30;
/** Elsewhere than on a terminal. */
const LINES = 20;

/** A bar: drawn over itself on a terminal, elsewhere a line now and then. */
export class Progress {
  private readonly begun = performance.now();
  private done = 0;
  private failed = 0;

  constructor(private readonly total: number) {}

  advance({ seed, violations: [violation] }: Simulation): void {
    this.done++;
    if (violation) {
      this.failed++;
      const erased = process.stderr.isTTY ? '\r\x1b[K' : '';
      process.stderr.write(`${erased}seed ${seed} breaks "${violation.invariant}"\n`);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${this.line}`);
    else if (this.done % Math.ceil(this.total / LINES) === 0) process.stderr.write(`${this.line}\n`);
  }

  end(): void {
    process.stderr.write(process.stderr.isTTY ? '\n' : '');
  }

  /** Lives per second so far. */
  get rate(): string {
    return (this.done / ((performance.now() - this.begun) / 1000)).toFixed(2);
  }

  private get line(): string {
    const filled = Math.round((this.done / this.total) * BAR);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
    return `${bar} ${this.done}/${this.total} lives, ${this.rate} per second, ${this.failed} failed`;
  }
}

/** What was injected and what was decided, in all. */
export function tables(simulations: readonly Simulation[]): string {
  return (['faults', 'decisions'] as const)
    .map((name) => {
      const sums = new Map<string, number>();
      for (const simulation of simulations) {
        for (const [what, count] of Object.entries(simulation[name])) sums.set(what, (sums.get(what) ?? 0) + count);
      }
      const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
      return [`\n${name}`, ...rows.map(([what, count]) => `${String(count).padStart(8)}  ${what}`)].join('\n');
    })
    .join('\n');
}

/**
 * A failure as somebody can follow and repeat it.
 * @param of how much had gone wrong before anything was left out
 */
export function failureText({ seed, violations, log, happened }: Simulation, of: number, hours: number): string {
  const [violation] = violations;
  const enough = happened.length === 0 ? 'none' : happened.length;
  return [
    `\nseed ${seed} breaks "${violation?.invariant}"`,
    `  at ${violation?.time}: ${violation?.what}`,
    `  of the ${of} things that had happened to it, ${enough} ${happened.length > 1 ? 'are' : 'is'} enough:`,
    ...log.map((entry) => `  ${entry}`),
    `again: npm run simulate -- --seed ${seed} --hours ${hours} --only ${happened.join(',') || 'none'}`,
  ].join('\n');
}
