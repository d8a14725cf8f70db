import type { Machine, MachineHost, MachineSpec, RunResult } from '../../machine';
import type { CommandResult, Commands, Files, MachineContext } from '../command';
import { abortable, never } from './abortable';
import type { HostOptions } from './options';
import { programs } from './programs';
import { failure } from './programs/result';

/** cloud-init notes here that it has run user data, before it does: a reboot never runs it again. */
const USER_DATA_RAN = (id: string) => `/var/lib/cloud/instances/${id}/sem/config_scripts_user`;

/** The names by which the K3s binary is called through its links. */
const K3S_LINKS = ['kubectl', 'crictl', 'ctr'];

/** A machine's life: boot, user data, scripts, freeze and power off. How a script runs is the two hosts' business. */
export abstract class ScriptMachineHost implements MachineHost {
  protected readonly programs: Commands;
  private readonly running = new Map<string, ScriptMachine>();

  constructor(protected readonly options: HostOptions) {
    this.programs = programs(options);
  }

  async boot(spec: MachineSpec): Promise<Machine> {
    const { clock, latency, events, log } = this.options;
    const { instanceId } = spec;
    if (this.running.has(instanceId)) throw new Error(`${instanceId} is running already`);
    await clock.sleep(latency.sample('ec2.boot', instanceId));
    const files = this.disk(instanceId);
    const machine = new ScriptMachine(spec, files, this);
    this.running.set(instanceId, machine);
    events.onBoot(machine.context);
    if (spec.userData !== '' && files.read(USER_DATA_RAN(instanceId)) === undefined) {
      files.write(USER_DATA_RAN(instanceId), '');
      machine.execute(spec.userData, {}, undefined).then(
        ({ exitCode, stderr }) => {
          if (exitCode !== 0) log('user data failed', { instanceId, exitCode, stderr: stderr.trimEnd().slice(-500) });
        },
        (error: unknown) => {
          if (!machine.context.signal.aborted) log('user data was not run', { instanceId, error: String(error) });
        },
      );
    }
    return machine;
  }

  async erase(instanceId: string): Promise<void> {
    await this.running.get(instanceId)?.kill();
    this.removeDisk(instanceId);
    this.options.events.onErase(instanceId);
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.values()].map((machine) => machine.kill()));
  }

  /** Runs a script until it ends; kills it as soon as the run's signal aborts, and settles only when it is dead. */
  abstract execute(run: Run): Promise<Omit<RunResult, 'timedOut'>>;
  protected abstract disk(instanceId: string): Files;
  protected abstract removeDisk(instanceId: string): void;
  /** Stops the processes of a run without ending them. */
  abstract suspend(run: Run): void;

  /** One command of a script. Once the machine hangs it does not settle before the machine is killed. */
  async command(run: Run, program: string, args: readonly string[], stdin: string): Promise<CommandResult> {
    const linked = K3S_LINKS.includes(program);
    const command = this.programs[linked ? 'k3s' : program];
    const { signal } = run.context;
    const hang = () => abortable(never<CommandResult>(), signal);
    signal.throwIfAborted();
    if (run.machine.frozen) return hang();
    if (this.options.faults?.fails(program)) return failure(1, `${program}: input/output error`);
    if (!command) return failure(127, `${program}: command not found`);
    const result = await abortable(command(run.context, linked ? [program, ...args] : args, stdin), signal);
    return run.machine.frozen ? hang() : result;
  }

  /** For ScriptMachine. */
  ended(machine: ScriptMachine): void {
    this.running.delete(machine.instanceId);
    this.options.events.onKill(machine.instanceId);
  }

  froze(machine: ScriptMachine): void {
    this.options.events.onFreeze(machine.instanceId);
  }

  /** Calls `task` after `seconds` of AWS time; returns its cancellation. */
  limit(seconds: number | undefined, task: () => void): () => void {
    if (seconds === undefined) return () => {};
    const timer = this.options.clock.after(seconds * 1000, task);
    return () => timer.cancel();
  }
}

/** A script on a machine. */
export interface Run {
  machine: ScriptMachine;
  script: string;
  environment: Record<string, string>;
  /** Of this run: aborted when the script is to be killed. */
  context: MachineContext;
}

const TIME_LIMIT = new Error('the time limit is reached');

export class ScriptMachine implements Machine {
  readonly instanceId: string;
  readonly address: string;
  readonly context: MachineContext;
  frozen = false;
  private readonly power = new AbortController();
  private readonly runs = new Map<Run, { cancelLimit: () => void; done: Promise<unknown> }>();
  private end: Promise<void> | undefined;

  constructor(
    spec: MachineSpec,
    files: Files,
    private readonly host: ScriptMachineHost,
  ) {
    this.instanceId = spec.instanceId;
    this.address = spec.privateIp;
    const execute = async (path: string) => {
      const script = files.read(path);
      if (script === undefined) return failure(127, `${path}: No such file or directory`);
      return this.execute(script, {}, undefined);
    };
    this.context = { spec, files, signal: this.power.signal, execute };
  }

  run(
    script: string,
    environment: Record<string, string>,
    timeLimitSeconds: number,
    cancelled?: AbortSignal,
  ): Promise<RunResult> {
    return this.execute(script, environment, timeLimitSeconds, cancelled);
  }

  async execute(
    script: string,
    environment: Record<string, string>,
    timeLimitSeconds: number | undefined,
    cancelled?: AbortSignal,
  ): Promise<RunResult> {
    this.power.signal.throwIfAborted();
    if (this.frozen) return abortable(never<RunResult>(), this.power.signal);
    const stop = new AbortController();
    const signal = AbortSignal.any([this.power.signal, stop.signal, ...(cancelled ? [cancelled] : [])]);
    const run: Run = { machine: this, script, environment, context: { ...this.context, signal } };
    const done = this.host.execute(run);
    const cancelLimit = this.host.limit(timeLimitSeconds, () => stop.abort(TIME_LIMIT));
    this.runs.set(run, { cancelLimit, done });
    try {
      const result = await done;
      this.power.signal.throwIfAborted();
      return { ...result, timedOut: signal.reason === TIME_LIMIT };
    } finally {
      cancelLimit();
      this.runs.delete(run);
    }
  }

  freeze(): void {
    if (this.frozen || this.power.signal.aborted) return;
    this.frozen = true;
    for (const [run, { cancelLimit }] of this.runs) {
      cancelLimit();
      this.host.suspend(run);
    }
    this.host.froze(this);
  }

  kill(): Promise<void> {
    this.end ??= this.powerOff();
    return this.end;
  }

  private async powerOff(): Promise<void> {
    const ends = [...this.runs.values()].map(({ done }) => done);
    this.power.abort(new Error(`${this.instanceId} was powered off`));
    await Promise.allSettled(ends);
    this.host.ended(this);
  }
}
