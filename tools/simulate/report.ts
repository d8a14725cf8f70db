/** What people see of simulations. */
import type { Simulation } from '../../test/simulation/simulate';

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
