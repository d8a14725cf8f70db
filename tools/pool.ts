/** Processes for work that computes, each busy with one order at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Reply } from './pool/serve';
import { ToolError } from './run';

const ROOT = join(__dirname, '..');

/** A life leaves little behind: with room for what is young, fewer objects outlive their use (some 4 % of the time). */
const EXEC = ['--enable-source-maps', '--max-semi-space-size=64'];

export interface Work {
  /** The tool, which names the bundle. */
  name: string;
  /** The module that calls `serve`. */
  entry: string;
  /** At most so many processes. */
  size: number;
}

interface Task<Order, Answer> {
  order: Order;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Pool<Order extends { seed: number }, Answer> {
  private readonly workers = new Set<ChildProcess>();
  private readonly idle: ChildProcess[] = [];
  private readonly queue: Task<Order, Answer>[] = [];

  private constructor(
    private readonly work: Work,
    private readonly file: string,
  ) {}

  /** One bundle instead of a thousand files that each process would compile for itself. */
  static async start<Order extends { seed: number }, Answer>(work: Work): Promise<Pool<Order, Answer>> {
    // As deep below the root as the sources of a tool: they look for other files from where they are.
    const outfile = join(ROOT, '.build', work.name, 'worker.js');
    await build({
      entryPoints: [work.entry],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: true,
      logLevel: 'warning',
    });
    return new Pool(work, outfile);
  }

  /**
   * Works as soon as a process is free.
   * @throws ToolError naming the seed that went wrong, or whose process ended
   */
  run(order: Order): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.queue.push({ order, resolve, reject });
      this.next();
    });
  }

  /** Whoever still waits for an answer gets none. */
  close(): void {
    this.queue.length = 0;
    for (const worker of this.workers) worker.kill();
  }

  private next(): void {
    const worker = this.queue.length === 0 ? undefined : (this.idle.pop() ?? this.fork());
    const task = worker && this.queue.shift();
    if (task) this.assign(task, worker);
  }

  private assign({ order, resolve, reject }: Task<Order, Answer>, worker: ChildProcess): void {
    const fail = (why: string) => reject(new ToolError(`seed ${order.seed}: ${why}`));
    const answered = (reply: Reply<Answer>) => {
      worker.off('exit', ended);
      this.idle.push(worker);
      if (reply.ok) resolve(reply.answer);
      else fail(reply.error);
      this.next();
    };
    const ended = (code: number | null, signal: string | null) => {
      worker.off('message', answered);
      this.workers.delete(worker);
      fail(`its process ended with ${signal ?? code}`);
      this.next();
    };
    worker.once('message', answered);
    worker.once('exit', ended);
    worker.send(order);
  }

  private fork(): ChildProcess | undefined {
    if (this.workers.size === this.work.size) return undefined;
    const worker = fork(this.file, { execArgv: EXEC });
    this.workers.add(worker);
    return worker;
  }
}
