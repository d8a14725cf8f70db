/**
 * The functions of a simulation, each in a sandbox that can end at any await: whatever the function was about to do does
 * not happen, whatever it has asked AWS for does.
 */
import type {
  EnvironmentSpec,
  Invocation,
  InvocationResult,
  LambdaEnvironment,
  LambdaRuntime,
} from '../../local/aws/lambda/runtime';
import type { Surroundings } from '../../local/embedded';
import { type InProcessOptions, InProcessRuntime } from '../support/in-process-runtime';

/** What a simulation hears of its functions. */
export interface Listener {
  /** A function is about to call AWS; true: its sandbox ends here. */
  calls(functionName: string): boolean;
  /** AWS has answered; true: its sandbox ends here. */
  answered(functionName: string): boolean;
  began(environment: EnvironmentSpec, invocation: Invocation): void;
  ended(environment: EnvironmentSpec, invocation: Invocation, result: InvocationResult): void;
}

export class Sandboxes implements LambdaRuntime {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly listener: Listener,
    private readonly options: InProcessOptions,
  ) {}

  start(spec: EnvironmentSpec): LambdaEnvironment {
    return new Sandbox(spec, this.surroundings, this.listener, this.options);
  }
}

/** A promise that nobody will ever settle: the code that awaits it is gone. */
const gone = <T>() => new Promise<T>(() => {});

class Sandbox implements LambdaEnvironment {
  private dead = false;
  private end: (() => void) | undefined;
  private readonly inner: LambdaEnvironment;

  constructor(
    private readonly spec: EnvironmentSpec,
    { world, endpoint, direct, route }: Surroundings,
    private readonly listener: Listener,
    options: InProcessOptions,
  ) {
    const gated: Surroundings = {
      world,
      endpoint: (request) => this.call(() => endpoint(request)),
      direct: { call: (call) => this.call(() => direct.call(call)), read: (request) => direct.read(request) },
      route: async (request) => this.call(async () => route(request)),
    };
    const runtime = new InProcessRuntime(gated, options);
    this.inner = runtime.start({ ...spec, sleep: (ms) => this.alive(spec.sleep(ms)) });
  }

  async invoke(invocation: Invocation): Promise<InvocationResult> {
    this.listener.began(this.spec, invocation);
    const killed = new Promise<InvocationResult>((resolve) => {
      this.end = () => resolve(exited(invocation.requestId));
    });
    const result = await Promise.race([this.inner.invoke(invocation), killed]);
    this.listener.ended(this.spec, invocation, result);
    return result;
  }

  async terminate(): Promise<void> {
    this.dead = true;
    await this.inner.terminate();
  }

  private async call<T>(send: () => Promise<T>): Promise<T> {
    if (this.dead) return gone();
    if (this.listener.calls(this.spec.functionName)) return this.kill();
    const response = await this.alive(send());
    return this.listener.answered(this.spec.functionName) ? this.kill() : response;
  }

  private async alive<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await promise;
      return this.dead ? gone() : value;
    } catch (error) {
      if (this.dead) return gone();
      throw error;
    }
  }

  private kill<T>(): Promise<T> {
    this.dead = true;
    this.end?.();
    return gone();
  }
}

/** What Lambda answers for a function whose process was killed (Developer Guide, "Troubleshoot invocation issues"). */
const exited = (requestId: string): InvocationResult => ({
  ok: false,
  error: {
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
  },
  fatal: true,
});
