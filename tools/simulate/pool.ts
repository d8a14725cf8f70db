/** The tool's processes: one for each processor, each busy with one life at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Simulation } from '../../test/simulation/simulate';
import type { Answer, Order } from './protocol';

const ROOT = join(__dirname, '../..');
const WORKER = join(ROOT, '.build/simulate/worker.js');

interface Task {
  order: Order;
  resolve(simulation: Simulation): void;
  reject(error: Error): void;
}

export class Pool {
  private readonly idle: ChildProcess[];
  private readonly queue: Task[] = [];

  private constructor(private readonly workers: ChildProcess[]) {
    this.idle = [...workers];
  }

  /** One bundle instead of a thousand files that each process would compile for itself. */
  static async start(size: number): Promise<Pool> {
    await build({
      entryPoints: [join(__dirname, 'worker.ts')],
      outfile: WORKER,
      bundle: true,
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: true,
      logLevel: 'warning',
    });
    return new Pool(Array.from({ length: size }, () => fork(WORKER, { execArgv: ['--enable-source-maps'] })));
  }

  /** Lives a life as soon as a process is free. Rejects when the simulation itself breaks. */
  run(order: Order): Promise<Simulation> {
    return new Promise((resolve, reject) => {
      this.queue.push({ order, resolve, reject });
      this.next();
    });
  }

  close(): void {
    for (const worker of this.workers) worker.kill();
  }

  private next(): void {
    const task = this.queue[0];
    const worker = task && this.idle.pop();
    if (!worker) return;
    this.queue.shift();
    const finish = (settle: () => void) => {
      worker.off('message', answered);
      worker.off('exit', ended);
      settle();
    };
    const answered = (answer: Answer) => {
      this.idle.push(worker);
      finish(() => (answer.ok ? task.resolve(answer.simulation) : task.reject(new Error(answer.error))));
      this.next();
    };
    const ended = () => finish(() => task.reject(new Error(`the process ended during seed ${task.order.seed}`)));
    worker.on('message', answered);
    worker.on('exit', ended);
    worker.send(task.order);
  }
}
