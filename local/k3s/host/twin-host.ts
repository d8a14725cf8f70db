import type { RunResult } from '../../machine';
import type { CommandResult, Files } from '../command';
import { MemoryFiles } from './disk';
import { type Run, ScriptMachineHost } from './machine-host';
import { failure } from './programs/result';
import { twinOf } from './twins';
import { Exit, Shell } from './twins/shell';

const K3S = '/usr/local/bin/k3s';

/**
 * Runs the in-process twin of each script: no processes, no sockets, no files of this computer, and no time but the
 * clock's. For simulation and benchmarks; one case table holds the twins and the scripts together.
 */
export class TwinMachineHost extends ScriptMachineHost {
  private readonly disks = new Map<string, Files>();

  protected override disk(instanceId: string): Files {
    const disk = this.disks.get(instanceId) ?? new MemoryFiles();
    this.disks.set(instanceId, disk);
    return disk;
  }

  protected override removeDisk(instanceId: string): void {
    this.disks.delete(instanceId);
  }

  override async execute(run: Run): Promise<Omit<RunResult, 'timedOut'>> {
    const { files, signal } = run.context;
    const shell = new Shell(run.environment, files, (program, args) => this.installed(run, program, args));
    try {
      const stdout = await twinOf(run.script)(shell);
      return { exitCode: 0, stdout: stdout && `${stdout}\n`, stderr: shell.stderr };
    } catch (error) {
      if (signal.aborted) return { exitCode: 137, stdout: '', stderr: shell.stderr };
      if (!(error instanceof Exit)) throw error;
      shell.log(error.message);
      return { exitCode: error.code, stdout: '', stderr: shell.stderr };
    }
  }

  /** A hanging twin's commands never settle, so there is nothing to stop. */
  override suspend(): void {}

  private installed(run: Run, program: string, args: string[]): Promise<CommandResult> {
    if (program === 'k3s' && run.context.files.read(K3S) === undefined) {
      return Promise.resolve(failure(127, `${K3S}: No such file or directory`));
    }
    return this.command(run, program, args, '');
  }
}
