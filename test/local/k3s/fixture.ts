import type { World } from '../../../local/aws/service';
import { VirtualClock } from '../../../local/clock';
import { Credentials } from '../../../local/credentials';
import { Faults } from '../../../local/faults';
import type { CommandResult, Files, MachineContext, UrlAnswer } from '../../../local/k3s/command';
import { MemoryFiles } from '../../../local/k3s/host/disk';
import type { Registries } from '../../../local/k3s/images';
import { createK3s, type K3s } from '../../../local/k3s/index';
import { BINARY, k3sBinary } from '../../../local/k3s/release';
import { Latency } from '../../../local/latency';
import type { Probe, ProbeResult } from '../../../local/network';
import type { SocketNetwork } from '../../../local/network-sockets';
import { TableNetwork } from '../../../local/network-table';
import { Random } from '../../../local/random';

export const TOKEN = 'a-short-token';
export const SERVER_DIR = '/var/lib/rancher/k3s/server';
const ZONES = ['eu-west-3a', 'eu-west-3b', 'eu-west-3c'];

const UNIT = `[Unit]
Description=Lightweight Kubernetes
[Service]
Type=notify
KillMode=process
Restart=always
RestartSec=5s
ExecStart=/usr/local/bin/k3s \\
    server
[Install]
WantedBy=multi-user.target
`;

/** A machine under test, from the first boot to its erasure. */
export class TestMachine {
  context!: MachineContext;
  private power = new AbortController();

  constructor(
    private readonly lab: Lab,
    readonly instanceId: string,
    readonly address: string,
    readonly zone: string,
    readonly files: Files,
  ) {
    this.boot();
  }

  boot(): void {
    this.power = new AbortController();
    this.context = {
      spec: {
        instanceId: this.instanceId,
        privateIp: this.address,
        availabilityZone: this.zone,
        region: 'eu-west-3',
        instanceType: 'm7g.large',
        architecture: 'arm64',
        userData: '',
        credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
      },
      files: this.files,
      signal: this.power.signal,
      execute: (path) => this.lab.execute(path),
    };
    this.lab.k3s.onBoot(this.context);
  }

  /** Power off, as `terminate` and `stop` do it at once. */
  kill(): void {
    this.power.abort(new Error('powered off'));
    this.lab.k3s.onKill(this.instanceId);
  }

  /** What user data and start-server leave behind. */
  configure(settings: Record<string, unknown>): void {
    const config = {
      'node-name': this.instanceId,
      'node-ip': this.address,
      'node-label': [`topology.kubernetes.io/zone=${this.zone}`, 'topology.kubernetes.io/region=eu-west-3'],
      token: TOKEN,
      'kube-apiserver-arg': ['default-not-ready-toleration-seconds=30', 'default-unreachable-toleration-seconds=30'],
      ...settings,
    };
    // JSON is YAML.
    this.files.write('/etc/rancher/k3s/config.yaml', JSON.stringify(config));
  }

  run(program: string, ...args: string[]): Promise<CommandResult> {
    return this.lab.clock.until(this.command(program, args));
  }

  command(program: string, args: string[], stdin = ''): Promise<CommandResult> {
    return this.lab.k3s.commands[program]!(this.context, args, stdin);
  }

  kubectl(...args: string[]): Promise<CommandResult> {
    return this.run('k3s', 'kubectl', ...args);
  }

  start(): Promise<CommandResult> {
    return this.run('systemctl', 'start', '--no-block', 'k3s');
  }

  async state(): Promise<string> {
    return (await this.run('systemctl', 'is-active', 'k3s.service')).stdout.trim();
  }

  async journal(): Promise<string> {
    return (await this.run('journalctl', '--unit=k3s.service', '--no-pager', '--output=cat')).stdout;
  }

  curl(url: string): Promise<UrlAnswer | undefined> {
    const request = { method: 'GET', url: new URL(url), headers: {} };
    return this.lab.clock.until(this.lab.k3s.respond(this.context, request));
  }

  async members(): Promise<string> {
    const answer = await this.curl('https://127.0.0.1:6443/db/info');
    return typeof answer === 'object' ? answer.body : String(answer);
  }

  probe(port: number, probe: Probe = { protocol: 'TCP' }): Promise<ProbeResult> {
    return this.lab.clock.until(this.lab.network.probe('nlb', this.address, port, probe, 5000));
  }
}

/** A world of its own with the model of K3s in it. */
export class Lab {
  readonly network: TableNetwork;
  readonly logs: string[] = [];
  readonly latency: Latency;
  readonly k3s: K3s;
  /** The registries that want a login: none. */
  registries: Registries = { holds: () => false, pull: async () => ({ status: 404 }) };
  /** What a program on a machine's disk does when a daemon runs it. */
  execute = async (path: string): Promise<CommandResult> => ({ exitCode: 127, stdout: '', stderr: path });
  private count = 0;

  /** @param sockets the machines listen for real instead */
  constructor(
    seed = 1,
    readonly clock = new VirtualClock(),
    private readonly sockets?: SocketNetwork,
  ) {
    this.network = new TableNetwork(clock);
    const random = new Random(seed);
    this.latency = new Latency(random.fork('latency'));
    const world: World = {
      clock: this.clock,
      random,
      latency: this.latency,
      faults: new Faults(),
      credentials: new Credentials(random),
      account: '123456789012',
      region: 'eu-west-3',
      zones: ZONES,
      log: (message, detail) => this.logs.push(`${message} ${JSON.stringify(detail)}`),
    };
    const registries: Registries = {
      holds: (image) => this.registries.holds(image),
      pull: (image, login) => this.registries.pull(image, login),
    };
    this.k3s = createK3s(world, { network: sockets ?? this.network, registries });
  }

  machine(version = 'v1.35.1+k3s1'): TestMachine {
    const number = this.count++;
    const files = new MemoryFiles();
    files.write(BINARY, k3sBinary({ version, architecture: 'arm64' }));
    files.write('/etc/systemd/system/k3s.service', UNIT);
    const id = `i-0${String(number).repeat(16)}`;
    const address = this.sockets?.nextAddress() ?? `127.77.1.${10 + number}`;
    return new TestMachine(this, id, address, ZONES[number % 3]!, files);
  }

  /** The first server, Ready. */
  async first(settings: Record<string, unknown> = {}): Promise<TestMachine> {
    const machine = this.machine();
    machine.configure({ 'cluster-init': true, ...settings });
    await machine.start();
    await this.untilVoter(machine, machine);
    return machine;
  }

  /** One more server through `peer`, Ready and a voter. */
  async join(peer: TestMachine, settings: Record<string, unknown> = {}): Promise<TestMachine> {
    const machine = this.machine();
    machine.configure({ server: `https://${peer.address}:6443`, ...settings });
    await machine.start();
    await this.untilVoter(peer, machine);
    return machine;
  }

  async servers(count: number, settings: Record<string, unknown> = {}): Promise<TestMachine[]> {
    const machines = [await this.first(settings)];
    while (machines.length < count) machines.push(await this.join(machines[0]!, settings));
    // Voters have been connected for long enough to count as healthy.
    await this.clock.advance(10_000);
    return machines;
  }

  node(name: string) {
    return this.k3s.state().nodes.find((node) => node.name === name);
  }

  /** Advances second by second until a condition holds; returns the seconds it took. */
  async until(what: string, holds: () => boolean | Promise<boolean>, limit = 600): Promise<number> {
    const began = this.clock.now();
    while (!(await holds())) {
      if (this.clock.now() - began > limit * 1000) throw new Error(`not within ${limit} s: ${what}`);
      await this.clock.advance(1000);
    }
    return (this.clock.now() - began) / 1000;
  }

  untilVoter(_through: TestMachine, machine: TestMachine): Promise<number> {
    return this.until(`${machine.instanceId} is Ready and a voter`, () => {
      const node = this.node(machine.instanceId);
      return node?.ready === 'True' && node.voter;
    });
  }

  close(): void {
    this.k3s.close();
    this.clock.close();
  }
}
