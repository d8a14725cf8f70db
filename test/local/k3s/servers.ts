/** Machines that run the node scripts, on either host, against the model of K3s: what the workflow does, without AWS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BashMachineHost } from '../../../local/k3s/host/bash-host';
import { MemoryFiles } from '../../../local/k3s/host/disk';
import type { ScriptMachineHost } from '../../../local/k3s/host/machine-host';
import { TwinMachineHost } from '../../../local/k3s/host/twin-host';
import type { Machine } from '../../../local/machine';
import { renderScript } from '../../../nodes/render';
import { FakeAws, type HostKind, SPEC } from '../../nodes/machine';
import { Lab } from './fixture';

const STARTED = z.object({ caHash: z.string() });

export class Servers {
  readonly lab = new Lab();
  readonly aws = new FakeAws();
  readonly machines: Machine[] = [];
  host!: ScriptMachineHost;
  private readonly directory = mkdtempSync(join(tmpdir(), 'k3s-ha-test-'));

  static async start(kind: HostKind): Promise<Servers> {
    const servers = new Servers();
    const { lab } = servers;
    const options = {
      clock: lab.clock,
      latency: lab.latency,
      endpoint: servers.aws.endpoint,
      commands: lab.k3s.commands,
      urls: lab.k3s.respond,
      events: lab.k3s,
      log: () => {},
    };
    servers.host =
      kind === 'bash'
        ? await BashMachineHost.start({ ...options, directory: servers.directory })
        : new TwinMachineHost(options);
    return servers;
  }

  async launch(): Promise<Machine> {
    const number = this.machines.length;
    const spec = { ...SPEC, instanceId: `i-0${String(number).repeat(16)}`, privateIp: `127.77.1.${10 + number}` };
    const machine = await this.lab.clock.until(this.host.boot(spec));
    this.machines.push(machine);
    await this.lab.clock.advance(60_000);
    return machine;
  }

  async run(machine: Machine, stem: string, environment: Record<string, string> = {}, attempts = 3): Promise<unknown> {
    for (;;) {
      const result = await this.lab.clock.until(machine.run(renderScript(stem), environment, 300));
      if (result.exitCode === 0) return JSON.parse(result.stdout.trimEnd().split('\n').at(-1)!);
      if (result.exitCode !== 75 || --attempts === 0)
        throw new Error(`${stem} exits ${result.exitCode}: ${result.stderr}`);
      // As long as the workflow waits.
      await this.lab.clock.advance(5_000);
    }
  }

  async cluster(): Promise<{ caHash: string }> {
    const first = await this.launch();
    const init = { SSM_mode: 'init', SSM_peerAddress: '', SSM_caHash: '' };
    const { caHash } = STARTED.parse(await this.run(first, 'start-server', init));
    for (let count = 1; count < 3; count++) await this.join(caHash);
    return { caHash };
  }

  async join(caHash: string): Promise<Machine> {
    const machine = await this.launch();
    const [first] = this.machines;
    const environment = { SSM_mode: 'join', SSM_peerAddress: first!.address, SSM_caHash: caHash };
    expect(await this.run(machine, 'start-server', environment)).toMatchObject({ ready: true, voter: true, caHash });
    return machine;
  }

  /** kubectl on the first server; what it prints. */
  async kubectl(args: string, stdin = ''): Promise<string> {
    const context = {
      spec: { ...SPEC, instanceId: this.machines[0]!.instanceId },
      files: new MemoryFiles(),
      signal: new AbortController().signal,
      execute: async () => ({ exitCode: 127, stdout: '', stderr: '' }),
    };
    const command = this.lab.k3s.commands.k3s!(context, ['kubectl', ...args.split(' ')], stdin);
    const { exitCode, stdout, stderr } = await this.lab.clock.until(command);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }

  async close(): Promise<void> {
    await this.host.close();
    this.lab.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
