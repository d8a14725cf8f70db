/** `npm run simulate`: many lives of a cluster under faults, each judged at every step. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Simulation } from '../test/simulation/simulate';
import { prepareAssembly } from '../test/support/assembly';
import { matching, number, UsageError, type Values } from './arguments';
import { Pool } from './pool';
import { Progress } from './progress';
import { runTool } from './run';
import { failureText, tables } from './simulate/report';
import { shorten } from './simulate/shorten';
import type { Order } from './simulate/worker';

const TOOL = {
  name: 'simulate',
  purpose: 'Lives of a cluster under faults, in virtual time.',
  flags: {
    seeds: number('N', 'lives, with one seed after the other', 100, { from: 1, integer: true }),
    from: number('S', 'the first seed', 1, { from: 0, integer: true }),
    seed: matching('S', 'this life alone, and its whole log', /^\d+$/, 'a whole number'),
    hours: number('H', 'how long a life is, hours of AWS time', 6, { from: 0.1, to: 240 }),
    only: matching(
      'IDS',
      'with --seed: only these happenings',
      /^(none|\d+\.\d+(,\d+\.\d+)*)$/,
      'none, or ids such as 2.0,2.1',
    ),
    workers: number('N', 'processes', availableParallelism(), { from: 1, to: 64, integer: true }),
  },
};

type Lives = Pool<Order, Simulation>;

/** Failures that are told in full; the others by their seed. */
const TOLD = 3;

async function main(flags: Values<typeof TOOL.flags>): Promise<number> {
  const one = flags.seed !== undefined;
  if (flags.only !== undefined && !one)
    throw new UsageError('--only leaves out happenings of one life: name its --seed');
  await prepareAssembly();
  const pool: Lives = await Pool.start({
    name: 'simulate',
    entry: join(__dirname, 'simulate/worker.ts'),
    size: flags.workers,
  });
  try {
    return one
      ? await single(pool, Number(flags.seed), flags.hours, flags.only === 'none' ? [] : flags.only?.split(','))
      : await many(pool, flags.from, flags.seeds, flags.hours);
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

/** Ctrl-C ends it early: what was found until then is told, and how to go on. */
async function many(pool: Lives, from: number, seeds: number, hours: number): Promise<number> {
  const progress = new Progress(seeds, 'lives');
  const simulations = new Map<number, Simulation>();
  const failed: Simulation[] = [];
  const all = Array.from({ length: seeds }, async (_, index) => {
    const seed = from + index;
    const simulation = summary(await pool.run({ seed, hours }));
    simulations.set(seed, simulation);
    const [violation] = simulation.violations;
    if (violation) {
      failed.push(simulation);
      progress.tell(`seed ${seed} breaks "${violation.invariant}"`);
    }
    progress.advance(`, ${failed.length} failed`);
  });
  const interrupted = interruption();
  await Promise.race([Promise.all(all), interrupted]).finally(() => progress.end());
  // What is told below lives again, which takes time too.
  const { rate } = progress;
  const lived = [...simulations.values()];
  console.log(tables(lived));
  const ended = lived.length < seeds;
  for (const { seed } of ended ? [] : failed.slice(0, TOLD)) {
    const whole = await pool.run({ seed, hours });
    const shortest = await shorten(whole, (only) => pool.run({ seed, hours, only }));
    console.log(failureText(shortest, whole.happened.length, hours));
  }
  const rest = failed.slice(ended ? 0 : TOLD).map(({ seed, violations }) => `${seed} (${violations[0]?.invariant})`);
  if (rest.length > 0) console.log(`\n${ended ? 'failed' : 'also failed'}: ${rest.join(', ')}`);
  const { length } = lived;
  console.log(`\n${length - failed.length} of ${length} lives of ${hours} h broke no rule (${rate} per second)`);
  if (!ended) return failed.length === 0 ? 0 : 1;
  const next = Array.from({ length: seeds }, (_, index) => from + index).find((seed) => !simulations.has(seed)) ?? from;
  console.log(`the rest: npm run simulate -- --from ${next} --seeds ${from + seeds - next} --hours ${hours}`);
  return INTERRUPTED;
}

/** As shells report a process that SIGINT has ended. */
const INTERRUPTED = 130;

/** The first Ctrl-C; another one ends the tool at once. */
const interruption = (): Promise<void> => new Promise((resolve) => process.once('SIGINT', () => resolve()));

/** Thousands of logs are not kept. */
const summary = (simulation: Simulation): Simulation => ({ ...simulation, log: [] });

runTool(TOOL, main);
