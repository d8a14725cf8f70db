/** Takes one guard out after the other and sees what notices. */
import type { Guard } from './guard';
import { runSimulator } from './simulator';
import { runTests } from './tests';
import type { Tree } from './tree';

/** For all tests together. */
const ALL_LIMIT_MS = 1_800_000;

export interface Finding {
  guard: Guard;
  /**
   * `survives`: nothing noticed, the guard may as well not be there. `broken`: without it the project cannot even be
   * run, so the patch proves nothing.
   */
  outcome: 'caught' | 'survives' | 'broken';
  /** The test or the life that noticed it, or what broke; empty when nothing did. */
  by: string;
  /** The life that noticed it as well, when the simulator was asked although a test had; empty when none did. */
  alsoBy: string;
  /** Wall clock. */
  seconds: number;
}

/** The tests fail with every guard in its place: then nothing proves anything. */
export class AlreadyFailing extends Error {
  override readonly name = 'AlreadyFailing';
}

/** How thoroughly. */
export interface Thoroughness {
  /** Lives of the simulator for a guard without which no test fails; 0: it is not asked. */
  seeds: number;
  /** Ask it about every guard. */
  both: boolean;
}

/**
 * That the untouched project passes what the guards are held against.
 * @returns how many tests that are
 * @throws AlreadyFailing
 */
export async function passUntouched(guards: readonly Guard[], tree: Tree, { seeds }: Thoroughness): Promise<number> {
  const tests = new Set(guards.flatMap((guard) => guard.tests));
  const tested = await runTests(tree.path, [...tests], ALL_LIMIT_MS);
  if (tested.result !== 'passed') {
    const what = tested.result === 'failed' ? tested.test : tested.why;
    throw new AlreadyFailing(`the tests fail although no guard is missing: ${what}`);
  }
  const lived = seeds === 0 ? null : await runSimulator(tree.path, seeds);
  if (lived && lived.result !== 'passed') {
    const what = lived.result === 'failed' ? lived.seed : lived.why;
    throw new AlreadyFailing(`the simulator finds something although no guard is missing: ${what}`);
  }
  return tested.tests;
}

/**
 * @param trees one per worker
 * @param found told of each as it is found
 * @throws GuardNotFound
 */
export async function hunt(
  guards: readonly Guard[],
  trees: readonly Tree[],
  thoroughness: Thoroughness,
  found: (finding: Finding) => void,
): Promise<Finding[]> {
  const queue = [...guards];
  const findings: Finding[] = [];
  await Promise.all(
    trees.map(async (tree) => {
      for (let guard = queue.shift(); guard; guard = queue.shift()) {
        const began = performance.now();
        const noticed = await tree.without(guard, () => examine(guard, tree.path, thoroughness));
        const finding = { guard, ...noticed, seconds: (performance.now() - began) / 1000 };
        findings.push(finding);
        found(finding);
      }
    }),
  );
  return guards.flatMap((guard) => findings.filter((finding) => finding.guard === guard));
}

type Noticed = Pick<Finding, 'outcome' | 'by' | 'alsoBy'>;

async function examine({ tests }: Guard, tree: string, { seeds, both }: Thoroughness): Promise<Noticed> {
  const tested = await runTests(tree, tests);
  if (tested.result === 'broken') return { outcome: 'broken', by: tested.why, alsoBy: '' };
  const lived = seeds > 0 && (both || tested.result === 'passed') ? await runSimulator(tree, seeds) : null;
  const life = lived?.result === 'failed' ? lived.seed : '';
  if (tested.result === 'failed') return { outcome: 'caught', by: tested.test, alsoBy: life };
  if (lived?.result === 'broken') return { outcome: 'broken', by: lived.why, alsoBy: '' };
  return life === '' ? { outcome: 'survives', by: '', alsoBy: '' } : { outcome: 'caught', by: life, alsoBy: '' };
}
