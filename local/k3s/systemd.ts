/**
 * The unit `k3s.service` under systemd: Type=notify, TimeoutStartSec=0, Restart=always, as K3s' installer and this
 * project write it. What the unit file says is read when the unit starts.
 */

import type { ServerMachine } from './machine';
import { BINARY, releaseOf } from './release';
import { ServerProcess } from './server';
import { Exit } from './server/exit';

export const UNIT = 'k3s.service';
export const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
/** The link that `systemctl enable` makes. */
export const WANTED = `/etc/systemd/system/multi-user.target.wants/${UNIT}`;

/** What `systemctl is-active` prints. */
export type UnitState = 'inactive' | 'activating' | 'active' | 'failed';

interface UnitFile {
  command: string[];
  environment: Record<string, string>;
  restart: boolean;
  /** Milliseconds. */
  restartAfter: number;
}

/** A reason to stop that is not the process's own. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

export class Unit {
  state: UnitState = 'inactive';
  /** The running K3s, if any. */
  process: ServerProcess | undefined;
  private run: { controller: AbortController; done: Promise<void> } | undefined;
  private waiters: ((ready: boolean) => void)[] = [];

  constructor(private readonly machine: ServerMachine) {}

  get installed(): boolean {
    return this.machine.files.read(UNIT_FILE) !== undefined;
  }

  get enabled(): boolean {
    return this.machine.files.read(WANTED) !== undefined;
  }

  boot(): void {
    this.state = 'inactive';
    if (this.enabled && this.installed) this.start();
  }

  /** The power goes: no shutdown, no journal entry. */
  kill(): void {
    this.run?.controller.abort(new Stopped('power off'));
    this.process?.end(false);
    this.process = undefined;
    this.run = undefined;
    this.state = 'inactive';
    this.waiters = [];
  }

  /** Starts the unit, if it is not running or about to. */
  start(): void {
    if (this.run) return;
    const controller = new AbortController();
    this.state = 'activating';
    const done = this.supervise(controller.signal).catch((error: unknown) => {
      if (!(error instanceof Stopped)) throw error;
    });
    this.run = { controller, done };
  }

  /** Resolves when the start job ends: true when K3s said it is ready, false when it exited before. */
  started(): Promise<boolean> {
    if (this.state === 'active') return Promise.resolve(true);
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** KillMode=process: the containers stay. */
  async stop(orderly = true): Promise<void> {
    const { run } = this;
    if (!run) {
      this.state = 'inactive';
      return;
    }
    this.machine.journal.systemd('Stopping Lightweight Kubernetes...');
    this.run = undefined;
    this.process?.end(orderly);
    run.controller.abort(new Stopped('stopped'));
    await run.done;
    this.state = 'inactive';
    this.settle(false);
    this.machine.journal.systemd('Stopped Lightweight Kubernetes.');
  }

  /** SIGKILL to the main process: systemd restarts it. */
  crash(): void {
    this.process?.crash();
  }

  private settle(ready: boolean): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve(ready);
  }

  private async supervise(signal: AbortSignal): Promise<void> {
    const { journal } = this.machine;
    for (let restarts = 0; ; restarts++) {
      const file = readUnit(this.machine);
      if (restarts > 0) journal.systemd(`${UNIT}: Scheduled restart job, restart counter is at ${restarts}.`);
      journal.systemd('Starting Lightweight Kubernetes...');
      this.state = 'activating';
      const status = await this.execute(file, signal);
      if (signal.aborted) throw signal.reason;
      journal.systemd(`${UNIT}: Main process exited, code=exited, status=${status}`);
      journal.systemd(`${UNIT}: Failed with result 'exit-code'.`);
      this.settle(false);
      if (!file.restart) {
        this.state = 'failed';
        this.run = undefined;
        return;
      }
      // "auto-restart", which is-active calls activating.
      this.state = 'activating';
      await this.machine.pause(file.restartAfter, signal);
    }
  }

  /** Runs K3s until it exits; returns what the journal says of its exit. */
  private async execute(file: UnitFile, signal: AbortSignal): Promise<string> {
    const { journal, files } = this.machine;
    const [binary, command, ...args] = file.command;
    if (binary !== BINARY || command !== 'server') {
      journal.systemd(`the model of systemd runs "${BINARY} server" only, not "${file.command.join(' ')}"`);
      return '203/EXEC';
    }
    const release = releaseOf(files.read(BINARY));
    if (!release) {
      journal.systemd(`${UNIT}: Failed to execute ${BINARY}: No such file or directory`);
      return '203/EXEC';
    }
    const process = new ServerProcess(this.machine, release, () => {
      this.state = 'active';
      journal.systemd('Started Lightweight Kubernetes.');
      this.settle(true);
    });
    this.process = process;
    try {
      await process.run(args, file.environment, signal);
    } catch (error) {
      if (error instanceof Exit) return error.code === 1 ? '1/FAILURE' : `${error.code}/n/a`;
      throw error;
    } finally {
      process.end(false);
      if (this.process === process) this.process = undefined;
    }
    return '0/SUCCESS';
  }
}

/** Reads the parts of a unit file that matter here. */
function readUnit(machine: ServerMachine): UnitFile {
  const text = (machine.files.read(UNIT_FILE) ?? '').replaceAll(/\\\n\s*/g, ' ');
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z]+)=(.*)$/.exec(line.trim());
    if (match) settings.set(match[1]!, match[2]!.trim());
  }
  const words = (settings.get('ExecStart') ?? '').match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const environmentFile = settings.get('EnvironmentFile')?.replace(/^-/, '');
  const environment: Record<string, string> = {};
  for (const line of (environmentFile ? (machine.files.read(environmentFile) ?? '') : '').split('\n')) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match) environment[match[1]!] = match[2]!.replace(/^(['"])(.*)\1$/, '$2');
  }
  const seconds = /^(\d+)s?$/.exec(settings.get('RestartSec') ?? '0')?.[1];
  if (seconds === undefined) throw new Error(`the model of systemd wants seconds in RestartSec: ${UNIT_FILE}`);
  return {
    command: words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')),
    environment,
    restart: settings.get('Restart') === 'always',
    restartAfter: Number(seconds) * 1000,
  };
}
