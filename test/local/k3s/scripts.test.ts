/** The node scripts, on both hosts, against the model of K3s: what the workflow does with a cluster, without AWS. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BashMachineHost } from '../../../local/k3s/host/bash-host';
import type { ScriptMachineHost } from '../../../local/k3s/host/machine-host';
import { TwinMachineHost } from '../../../local/k3s/host/twin-host';
import type { Machine } from '../../../local/machine';
import { renderScript } from '../../../nodes/render';
import { FakeAws, type HostKind, MANIFESTS, SPEC } from '../../nodes/machine';
import { Lab } from './fixture';

const STARTED = z.object({ caHash: z.string() });

class Servers {
  readonly lab = new Lab();
  readonly machines: Machine[] = [];
  host!: ScriptMachineHost;
  private readonly directory = mkdtempSync(join(tmpdir(), 'k3s-ha-test-'));

  static async start(kind: HostKind): Promise<Servers> {
    const servers = new Servers();
    const { lab } = servers;
    const options = {
      clock: lab.clock,
      latency: lab.latency,
      endpoint: new FakeAws().endpoint,
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

  async close(): Promise<void> {
    await this.host.close();
    this.lab.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

describe.each(['bash', 'twin'] as const)('on the %s host', (kind) => {
  let servers: Servers;
  beforeEach(async () => {
    servers = await Servers.start(kind);
  });
  afterEach(() => servers.close());

  it('StartServer builds a cluster of three, ReportStatus describes it, and a dead server is replaced', async () => {
    const { caHash } = await servers.cluster();
    const [first, , third] = servers.machines;
    // The leader writes EtcdIsVoter when it next looks.
    await servers.lab.clock.advance(15_000);
    const report = await servers.run(first!, 'report-status');
    expect(report).toMatchObject({
      k3s: 'active',
      etcdHealthy: true,
      apiReady: true,
      caHash,
      k3sVersion: 'v1.33.5+k3s1',
      dbInfo: { members: [{}, {}, {}] },
    });
    expect(report).toHaveProperty(
      'nodes',
      servers.machines.map(({ instanceId, address }) => ({
        name: instanceId,
        ready: 'True',
        voter: true,
        deleting: false,
        member: expect.stringMatching(/-[0-9a-f]{8}$/),
        address,
      })),
    );

    await third!.kill();
    await servers.lab.clock.advance(60_000);
    const removal = { SSM_nodeName: third!.instanceId, SSM_address: third!.address };
    expect(await servers.run(first!, 'remove-member', removal)).toEqual({ removed: true });
    expect(await servers.run(first!, 'remove-member', removal)).toEqual({ removed: true });
    expect(servers.lab.k3s.state().members).toHaveLength(2);
    await servers.join(caHash);
    expect(servers.lab.k3s.state().members.filter(({ learner }) => !learner)).toHaveLength(3);
  });

  it('RemoveMember removes the member of a machine that died before it had a Node', async () => {
    const { caHash } = await servers.cluster();
    const joiner = await servers.launch();
    const [first] = servers.machines;
    const environment = { SSM_mode: 'join', SSM_peerAddress: first!.address, SSM_caHash: caHash };
    const running = joiner.run(renderScript('start-server'), environment, 300);
    running.catch(() => {});
    await servers.lab.until('a learner', () => servers.lab.k3s.state().members.some(({ learner }) => learner));
    await joiner.kill();
    const removal = { SSM_nodeName: joiner.instanceId, SSM_address: joiner.address };
    expect(await servers.run(first!, 'remove-member', removal)).toEqual({ removed: true });
    expect(servers.lab.k3s.state().members).toHaveLength(3);
    expect(servers.lab.node(joiner.instanceId)).toBeUndefined();
  });
});

describe('in-process', () => {
  let servers: Servers;
  beforeEach(async () => {
    servers = await Servers.start('twin');
  });
  afterEach(() => servers.close());

  it('StartServer fails for good on a CA that is not the cluster’s', async () => {
    await servers.cluster();
    const joiner = await servers.launch();
    const environment = {
      SSM_mode: 'join',
      SSM_peerAddress: servers.machines[0]!.address,
      SSM_caHash: '0'.repeat(64),
    };
    await expect(servers.run(joiner, 'start-server', environment)).rejects.toThrow('token CA hash does not match');
  });

  it('ReportStatus tells what a survivor without quorum cannot know', async () => {
    await servers.cluster();
    const [first, second, third] = servers.machines;
    await second!.kill();
    await third!.kill();
    await servers.lab.clock.advance(8_000);
    expect(await servers.run(first!, 'report-status')).toMatchObject({
      etcdHealthy: false,
      apiReady: false,
      dbInfo: null,
      nodes: null,
    });
  });

  it('ApplyManifests says that it failed when K3s refuses an object', async () => {
    await servers.cluster();
    const sha256 = createHash('sha256').update(MANIFESTS).digest('hex');
    const environment = { SSM_manifestsUri: 's3://assets/manifests.yaml', SSM_manifestsSha256: sha256 };
    await expect(servers.run(servers.machines[0]!, 'apply-manifests', environment)).rejects.toThrow('error validating');
  });
});
