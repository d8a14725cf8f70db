/** Runs functions in worker threads: the deployed bundle, unchanged, with an environment of its own. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { EnvironmentSpec, Invocation, InvocationResult, LambdaEnvironment, LambdaRuntime } from './runtime';

const BOOTSTRAP = path.join(__dirname, 'bootstrap.cjs');

const MESSAGE = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('log'), line: z.string() }),
  z.object({ kind: z.literal('sleep'), id: z.number(), milliseconds: z.number() }),
  z.object({
    kind: z.literal('result'),
    requestId: z.string(),
    result: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), payload: z.string() }),
      z.object({
        ok: z.literal(false),
        error: z.object({ errorType: z.string(), errorMessage: z.string(), trace: z.array(z.string()) }),
        fatal: z.boolean(),
      }),
    ]),
  }),
]);

class WorkerEnvironment implements LambdaEnvironment {
  private readonly worker: Worker;
  private pending: { requestId: string; settle(result: InvocationResult): void } | undefined;
  private terminated = false;

  constructor({ clock, log, sleep, variables, ...spec }: EnvironmentSpec) {
    this.worker = new Worker(BOOTSTRAP, {
      env: variables,
      // Loaders of the host process have no business in a function.
      execArgv: [],
      workerData: { spec, sharedClock: clock.shared },
      // Everything but the bundle's own output, such as Node's warnings, is the host's concern.
      stdout: true,
      stderr: true,
    });
    this.worker.on('message', (raw: unknown) => {
      const message = MESSAGE.parse(raw);
      if (message.kind === 'log') log(message.line);
      else if (message.kind === 'sleep') {
        void sleep(message.milliseconds).then(() => this.worker.postMessage({ kind: 'wake', id: message.id }));
      } else if (message.requestId === this.pending?.requestId) this.settle(message.result);
    });
    this.worker.on('error', (error) => this.exited(error instanceof Error ? error.message : String(error)));
    this.worker.on('exit', (code) =>
      this.exited(`Runtime exited ${code === 0 ? 'without providing a reason' : `with error: exit status ${code}`}`),
    );
  }

  invoke(invocation: Invocation): Promise<InvocationResult> {
    return new Promise((settle) => {
      this.pending = { requestId: invocation.requestId, settle };
      this.worker.postMessage({ kind: 'invoke', invocation });
    });
  }

  async terminate(): Promise<void> {
    this.terminated = true;
    this.pending = undefined;
    await this.worker.terminate();
  }

  private settle(result: InvocationResult): void {
    const { pending } = this;
    this.pending = undefined;
    pending?.settle(result);
  }

  private exited(why: string): void {
    if (this.terminated) return;
    const requestId = this.pending?.requestId ?? '';
    this.settle({
      ok: false,
      error: { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: ${why}` },
      fatal: true,
    });
  }
}

export class WorkerRuntime implements LambdaRuntime {
  start(spec: EnvironmentSpec): LambdaEnvironment {
    return new WorkerEnvironment(spec);
  }
}
