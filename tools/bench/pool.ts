/** Measures seeds on every processor: the work computes, so it takes processes. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ToolError } from '../run';
import type { Measured } from './trial';

type Answer = { measured: Measured } | { seed: number; error: string };

/**
 * The runs of all seeds, in their order.
 * @throws ToolError naming the seed of a run that went wrong
 */
export async function measureAll(seeds: number[], onDone: (done: number) => void): Promise<Measured[]> {
  const waiting = [...seeds];
  const runs: Measured[] = [];
  const workers = Array.from({ length: Math.min(availableParallelism(), seeds.length) }, start);
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
          runs.push(await ask(worker, seed));
          onDone(runs.length);
        }
      }),
    );
  } finally {
    for (const worker of workers) worker.kill();
  }
  return runs.sort((a, b) => a.seed - b.seed);
}

const start = () => fork(join(__dirname, 'worker.ts'), { execArgv: ['--import', 'tsx'] });

function ask(worker: ChildProcess, seed: number): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new ToolError(`seed ${seed}: its process ended with ${code}`));
    worker.once('exit', ended);
    worker.once('message', (answer: Answer) => {
      worker.off('exit', ended);
      if ('measured' in answer) resolve(answer.measured);
      else reject(new ToolError(`seed ${seed}: ${answer.error}`));
    });
    worker.send(seed);
  });
}
