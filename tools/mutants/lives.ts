/** Runs in a copy of the project: one life of a cluster after the other, until one breaks a rule. */
import { simulate } from '../../test/simulation/simulate';
import { prepareAssembly } from '../../test/support/assembly';
import { runMain } from '../run';

/** What the last line of the output says; null: every life was good. */
export interface Lived {
  broke: { seed: number; invariant: string; what: string } | null;
}

async function live(seeds: number): Promise<Lived> {
  await prepareAssembly();
  for (let seed = 1; seed <= seeds; seed++) {
    const [violation] = (await simulate(seed)).violations;
    if (violation) return { broke: { seed, invariant: violation.invariant, what: violation.what } };
  }
  return { broke: null };
}

async function main([seeds]: string[]): Promise<number> {
  console.log(JSON.stringify(await live(Number(seeds))));
  return 0;
}

if (require.main === module) runMain(main);
