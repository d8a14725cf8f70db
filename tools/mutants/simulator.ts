/** Whether the simulator notices that a guard is gone: lives with the seeds from 1 on, until one breaks a rule. */
import { join } from 'node:path';
import { z } from 'zod';
import { runNode } from './child';

/** A life takes seconds; a busy machine takes its time. */
const LIMIT_MS = 1_800_000;

const LIVED = z.object({
  broke: z.nullable(z.object({ seed: z.number(), invariant: z.string(), what: z.string() })),
});

export type SimulationResult =
  | { result: 'passed' }
  | { result: 'failed'; seed: string }
  /** It could not be run, which proves nothing about a guard. */
  | { result: 'broken'; why: string };

/** @param seeds how many lives at most */
export async function runSimulator(tree: string, seeds: number): Promise<SimulationResult> {
  const program = join('tools', 'mutants', 'lives.ts');
  const { code, output } = await runNode(['--import', 'tsx', program, String(seeds)], tree, LIMIT_MS);
  if (code === null) return { result: 'failed', seed: `no end within ${LIMIT_MS / 1000} s` };
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0 || !last.startsWith('{')) return { result: 'broken', why: output.slice(-2000) };
  const { broke } = LIVED.parse(JSON.parse(last));
  if (broke === null) return { result: 'passed' };
  return { result: 'failed', seed: `seed ${broke.seed}: ${broke.invariant}: ${broke.what}` };
}
