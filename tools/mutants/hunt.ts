/** Takes one guard out after the other and sees what notices. */
import type { Guard } from './guard';
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
  /** What noticed it, or what broke; empty when nothing did. */
  by: string;
  /** Wall clock. */
  seconds: number;
}

/** The tests fail with every guard in its place: then nothing proves anything. */
export class AlreadyFailing extends Error {
  override readonly name = 'AlreadyFailing';
}

/**
 * That the untouched project passes what the guards are held against.
 * @returns how many tests that are
 * @throws AlreadyFailing
 */
export async function passUntouched(guards: readonly Guard[], tree: Tree): Promise<number> {
  const tests = new Set(guards.flatMap((guard) => guard.tests));
  const tested = await runTests(tree.path, [...tests], ALL_LIMIT_MS);
  if (tested.result === 'passed') return tested.tests;
  throw new AlreadyFailing(
    `the tests fail although no guard is missing: ${tested.result === 'failed' ? tested.test : tested.why}`,
  );
}

/**
 * @param trees one per worker
 * @param found told of each as it is found
 * @throws GuardNotFound
 */
export async function hunt(
  guards: readonly Guard[],
  trees: readonly Tree[],
  found: (finding: Finding) => void,
): Promise<Finding[]> {
  const queue = [...guards];
  const findings: Finding[] = [];
  await Promise.all(
    trees.map(async (tree) => {
      for (let guard = queue.shift(); guard; guard = queue.shift()) {
        const finding = await examine(guard, tree);
        findings.push(finding);
        found(finding);
      }
    }),
  );
  return guards.flatMap((guard) => findings.filter((finding) => finding.guard === guard));
}

async function examine(guard: Guard, tree: Tree): Promise<Finding> {
  const began = performance.now();
  const tested = await tree.without(guard, () => runTests(tree.path, guard.tests));
  const seconds = (performance.now() - began) / 1000;
  switch (tested.result) {
    case 'failed':
      return { guard, outcome: 'caught', by: tested.test, seconds };
    case 'passed':
      return { guard, outcome: 'survives', by: '', seconds };
    case 'broken':
      return { guard, outcome: 'broken', by: tested.why, seconds };
  }
}
