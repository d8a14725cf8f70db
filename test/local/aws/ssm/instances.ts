import type { Instances } from '../../../../local/aws/ssm';
import type { Machine, RunResult } from '../../../../local/machine';

/** A machine whose scripts end when and how the test says. */
export class ScriptedMachine implements Machine {
  readonly runs: { script: string; environment: Record<string, string>; timeLimitSeconds: number }[] = [];
  /** What the next scripts return; `hang` never returns. */
  behaviour: (script: string, cancelled: AbortSignal | undefined) => Promise<RunResult> = async () => done();
  private die: (reason: Error) => void = () => {};
  private readonly death = new Promise<never>((_resolve, reject) => {
    this.die = reject;
  });

  constructor(
    readonly instanceId: string,
    readonly address = '10.0.0.1',
  ) {
    this.death.catch(() => {});
  }

  run(script: string, environment: Record<string, string>, timeLimitSeconds: number, cancelled?: AbortSignal) {
    this.runs.push({ script, environment, timeLimitSeconds });
    return Promise.race([this.behaviour(script, cancelled), this.death]);
  }

  freeze(): void {
    this.behaviour = () => new Promise(() => {});
  }

  async kill(): Promise<void> {
    this.die(new Error('powered off'));
  }
}

export const done = (result: Partial<RunResult> = {}): RunResult => ({
  exitCode: 0,
  stdout: '',
  stderr: '',
  timedOut: false,
  ...result,
});

export class FakeInstances implements Instances {
  private readonly listeners = new Set<Parameters<Instances['onState']>[0]>();
  private readonly machines = new Map<string, ScriptedMachine>();
  readonly tagged = new Map<string, Record<string, string>>();

  onState(listener: Parameters<Instances['onState']>[0]) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  machine(instanceId: string) {
    return this.machines.get(instanceId);
  }

  instance(instanceId: string) {
    const roleArn = 'arn:aws:iam::123456789012:role/server';
    return { tags: new Map(Object.entries(this.tagged.get(instanceId) ?? {})), roleArn };
  }

  /** An instance that runs and whose kernel is up. */
  launch(instanceId: string, tags: Record<string, string> = {}): ScriptedMachine {
    this.tagged.set(instanceId, tags);
    const machine = new ScriptedMachine(instanceId);
    this.machines.set(instanceId, machine);
    this.announce(instanceId, 'running');
    return machine;
  }

  end(instanceId: string, state: 'stopped' | 'terminated'): void {
    void this.machines.get(instanceId)?.kill();
    this.machines.delete(instanceId);
    this.announce(instanceId, state);
  }

  announce(instanceId: string, state: string): void {
    for (const listener of this.listeners) listener(instanceId, state);
  }
}
