import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '../../clock';
import type { RunResult } from '../../machine';
import type { Files } from '../command';
import { DirectoryFiles } from './disk';
import { type Run, ScriptMachineHost } from './machine-host';
import type { HostOptions } from './options';
import { failure } from './programs/result';
import { ShimServer } from './shim-server';
import { codeOf } from './system-error';
import { createToolbox } from './toolbox';

/** What an image of Amazon Linux 2023 has and scripts need. */
const IMAGE = ['etc/systemd/system', 'etc/sysctl.d', 'root', 'run', 'tmp', 'usr/local/bin', 'var/lib', 'var/log'];

/** Bytes of each stream that are kept; SSM itself returns the first 24,000 characters. */
const OUTPUT_LIMIT = 1 << 20;

interface BashRun {
  run: Run;
  hold: Hold;
  process: ChildProcess;
}

export interface BashHostOptions extends HostOptions {
  /** An existing directory below which the machines' disks live; emptied again on close. */
  directory: string;
}

/**
 * Runs user data and node commands with bash, unprivileged: each machine is a directory (`NODE_ROOT`), and every program
 * that would touch more than files there is a shim. A script that asks for a program outside the toolbox fails.
 */
export class BashMachineHost extends ScriptMachineHost {
  private readonly runs = new Map<string, BashRun>();
  private readonly server: ShimServer;
  private readonly directory: string;
  private readonly path: string;
  private scripts = 0;
  private port = 0;

  private constructor(options: BashHostOptions) {
    super(options);
    this.directory = mkdtempSync(join(options.directory, 'machines-'));
    this.path = createToolbox(
      join(this.directory, 'toolbox'),
      Object.keys(this.programs).filter((name) => name !== 'k3s'),
    );
    this.server = new ShimServer(({ secret, program, args, stdin }, gone) => {
      const bashRun = this.runs.get(secret);
      if (!bashRun) return Promise.resolve(failure(126, `${program}: this machine is gone`));
      const { run, hold } = bashRun;
      const context = { ...run.context, signal: AbortSignal.any([run.context.signal, gone]) };
      const root = this.root(run.machine.instanceId);
      const local = args.map((arg) => (arg === root ? '/' : arg.replaceAll(`${root}/`, '/')));
      return hold.waiting(this.command({ ...run, context }, program, local, stdin));
    });
  }

  static async start(options: BashHostOptions): Promise<BashMachineHost> {
    const host = new BashMachineHost(options);
    host.port = await host.server.listen();
    return host;
  }
  override async close(): Promise<void> {
    await super.close();
    await this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  protected override disk(instanceId: string): Files {
    const root = this.root(instanceId);
    for (const folder of IMAGE) mkdirSync(join(root, folder), { recursive: true });
    return new DirectoryFiles(root);
  }

  protected override removeDisk(instanceId: string): void {
    rmSync(join(this.directory, instanceId), { recursive: true, force: true });
  }

  override execute(run: Run): Promise<Omit<RunResult, 'timedOut'>> {
    const { instanceId } = run.machine;
    const secret = randomBytes(16).toString('hex');
    const file = join(this.directory, instanceId, `script-${++this.scripts}`);
    writeFileSync(file, run.script, { mode: 0o755 });
    const hold = this.options.clock.hold();
    return new Promise((resolve, reject) => {
      // As the SSM agent and cloud-init do: the script's first line names its interpreter. Its own process group, so
      // that everything it starts dies with it.
      const process = spawn('/bin/sh', ['-c', 'umask 022 && exec "$0"', file], {
        cwd: this.root(instanceId),
        detached: true,
        env: {
          ...run.environment,
          NODE_ROOT: this.root(instanceId),
          NODE_SHIM_PORT: String(this.port),
          NODE_SHIM_SECRET: secret,
          PATH: this.path,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.runs.set(secret, { run, hold, process });
      const stdout = collect(process.stdout);
      const stderr = collect(process.stderr);
      const kill = () => signalGroup(process, 'SIGKILL');
      run.context.signal.addEventListener('abort', kill, { once: true });
      const end = () => {
        run.context.signal.removeEventListener('abort', kill);
        this.runs.delete(secret);
        rmSync(file, { force: true });
        hold.release();
      };
      process.once('error', (error) => {
        end();
        reject(error);
      });
      process.once('close', (code) => {
        end();
        // 137: as a shell reports a program that was killed.
        resolve({ exitCode: code ?? 137, stdout: stdout(), stderr: stderr() });
      });
      if (run.context.signal.aborted) kill();
    });
  }

  override suspend(run: Run): void {
    for (const { run: other, process, hold } of this.runs.values()) {
      if (other !== run) continue;
      signalGroup(process, 'SIGSTOP');
      // A stopped process computes nothing, so time may pass.
      hold.release();
    }
  }

  private root(instanceId: string): string {
    return join(this.directory, instanceId, 'root');
  }
}

function signalGroup(process: ChildProcess, signal: NodeJS.Signals): void {
  if (process.pid === undefined) return;
  try {
    globalThis.process.kill(-process.pid, signal);
  } catch (error) {
    // Its last process ended by itself meanwhile.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size < OUTPUT_LIMIT) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
