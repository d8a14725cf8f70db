/** `npm run simulate`: many lives of a cluster under faults, each judged at every step. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Simulation } from '../test/simulation/simulate';
import { prepareAssembly } from '../test/support/assembly';
import { helpText, matching, number, parseFlags } from './arguments';
import { Pool } from './pool';
import { runTool } from './run';
import { failureText, Progress, tables } from './simulate/report';
import { shorten } from './simulate/shorten';
import type { Order } from './simulate/worker';

const FLAGS = {
  seeds: number('N', 'lives, with the seeds from 1 on', 100, { from: 1, integer: true }),
  seed: matching('S', 'this life alone, and its whole log', /^\d+$/, 'a whole number'),
  hours: number('H', 'how long a life is, hours of AWS time', 6, { from: 0.1, to: 240 }),
  only: matching('IDS', 'with --seed: only these happenings, such as 2.0,2.1', /^[\d.,]+$/, 'ids with commas between'),
  workers: number('N', 'processes', availableParallelism(), { from: 1, to: 64, integer: true }),
};

type Lives = Pool<Order, Simulation>;

/** Failures that are told in full; the others by their seed. */
const TOLD = 3;

async function main(line: string[]): Promise<number> {
  const flags = parseFlags(FLAGS, line);
  if (flags.help) {
    console.log(helpText('npm run simulate -- [flags]', 'Lives of a cluster under faults, in virtual time.', FLAGS));
    return 0;
  }
  await prepareAssembly();
  const one = flags.seed !== undefined;
  const pool: Lives = await Pool.start({
    name: 'simulate',
    entry: join(__dirname, 'simulate/worker.ts'),
    size: flags.workers,
  });
  try {
    return one
      ? await single(pool, Number(flags.seed), flags.hours, flags.only?.split(','))
      : await many(pool, flags.seeds, flags.hours);
  } finally {
    pool.close();
  }
}

async function single(pool: Lives, seed: number, hours: number, only: string[] | undefined): Promise<number> {
  const simulation = await pool.run({ seed, hours, only });
  console.log(simulation.log.join('\n'));
  console.log(tables([simulation]));
  return simulation.violations.length === 0 ? 0 : 1;
}

async function many(pool: Lives, seeds: number, hours: number): Promise<number> {
  const progress = new Progress(seeds);
  const all = Array.from({ length: seeds }, async (_, index) => {
    const simulation = await pool.run({ seed: index + 1, hours });
    progress.advance(simulation.violations.length > 0);
    return summary(simulation);
  });
  const simulations = await Promise.all(all);
  progress.end();
  console.log(tables(simulations));
  const failed = simulations.filter(({ violations }) => violations.length > 0);
  for (const { seed } of failed.slice(0, TOLD)) {
    const whole = await pool.run({ seed, hours });
    console.log(failureText(await shorten(whole, (only) => pool.run({ seed, hours, only })), hours));
  }
  if (failed.length > TOLD) {
    const rest = failed.slice(TOLD).map(({ seed, violations }) => `${seed} (${violations[0]?.invariant})`);
    console.log(`\nalso failed: ${rest.join(', ')}`);
  }
  console.log(`\n${seeds - failed.length} of ${seeds} lives of ${hours} h broke no rule (${progress.rate} per second)`);
  return failed.length === 0 ? 0 : 1;
}

/** Thousands of logs are not kept. */
const summary = (simulation: Simulation): Simulation => ({ ...simulation, log: [] });

runTool(main);
