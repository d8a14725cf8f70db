import type { CommandResult, Commands, K3sUrls, MachineContext } from '../../local/k3s/command';

const CA = '/var/lib/rancher/k3s/server/tls/server-ca.crt';
export const CA_TEXT = '-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n';

export interface FakeNode {
  name: string;
  ready?: string;
  voter?: string;
  deleting?: string;
  address?: string;
  peer?: string;
  /** undefined: no annotation. */
  member?: string;
}

export interface FakeMember {
  name: string;
  address: string;
  learner?: boolean;
}

const ok = (stdout = ''): CommandResult => ({ exitCode: 0, stdout, stderr: '' });
const error = (exitCode: number, stderr: string): CommandResult => ({ exitCode, stdout: '', stderr: `${stderr}\n` });

/** K3s on one machine as a test arranges it: no model, just what the scripts see of it. */
export class FakeK3s {
  unit = 'inactive';
  etcd: boolean | null = null;
  api = false;
  nodes: FakeNode[] = [];
  members: FakeMember[] = [];
  journal: { at: number; text: string }[] = [];
  /** What `kubectl apply` answers. */
  apply: CommandResult = ok();
  /** What the cluster says it was given: lines of `data.objects`, and the annotation of what is to be deleted. */
  inventory = '';
  /** What `kubectl delete` by selector answers, by kind and name; whatever else is not there. */
  prune: Record<string, CommandResult> = {};
  /** Traefik's pods, ready of wanted, at each question; the last answer stays. */
  traefik = ['3/3'];
  /** What `kubectl apply` was given last. */
  applied = '';
  /** Every command that changes something, in order. */
  readonly calls: string[] = [];
  /** Called by `systemctl start` and `restart`. */
  onStart: (machine: MachineContext) => void = () => {};
  /** Called by each `kubectl delete node` and `kubectl create`. */
  onDelete: (node: FakeNode) => void = (node) => {
    this.nodes = this.nodes.filter((other) => other !== node);
    this.members = this.members.filter(({ name }) => name !== node.member);
  };
  refuseDbInfo = false;

  constructor(private readonly now: () => number) {}

  log(text: string): void {
    this.journal.push({ at: this.now(), text });
  }

  /** The machine becomes what a joined, healthy server is. */
  serve(machine: Pick<MachineContext, 'files'>, instanceId: string, address: string): void {
    machine.files.write(CA, CA_TEXT);
    machine.files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', 'data');
    this.unit = 'active';
    this.etcd = true;
    this.api = true;
    this.nodes.push({ name: instanceId, ready: 'True', voter: 'True', address, peer: address, member: 'host-1' });
    this.members.push({ name: 'host-1', address });
  }

  readonly commands: Commands = {
    k3s: async (machine, args) => this.k3s(machine, [...args]),
    systemctl: async (machine, args) => this.systemctl(machine, [...args]),
    journalctl: async (_machine, args) => {
      const since = Number(args.find((arg) => arg.startsWith('--since=@'))?.slice('--since=@'.length));
      const lines = this.journal.filter(({ at }) => at >= since * 1000).map(({ text }) => `${text}\n`);
      return ok(lines.join(''));
    },
  };

  readonly urls: K3sUrls = async (_machine, { url }) => {
    if (url.href === 'http://127.0.0.1:2381/health') {
      return this.etcd === null ? 'refused' : { status: this.etcd ? 200 : 503, body: `{"health":"${this.etcd}"}` };
    }
    if (url.href !== 'https://127.0.0.1:6443/db/info') return undefined;
    if (this.etcd === null) return 'refused';
    if (this.refuseDbInfo) return { status: 500, body: '{"kind":"Status"}' };
    const members = this.members.map(({ name, address, learner }, index) => {
      const label = name ? `"name":"${name}",` : '';
      const role = learner ? ',"isLearner":true' : '';
      return `{"ID":${index + 1}847561739812345678,${label}"peerURLs":["https://${address}:2380"],"clientURLs":["https://${address}:2379"]${role}}`;
    });
    return { status: 200, body: `{"members":[${members.join(',')}]}\n` };
  };

  private systemctl(machine: MachineContext, args: string[]): CommandResult {
    if (args[0] === 'is-active') return { ...ok(`${this.unit}\n`), exitCode: this.unit === 'active' ? 0 : 3 };
    this.calls.push(`systemctl ${args.join(' ')}`);
    if (args[0] === 'start' || args[0] === 'restart') {
      if (this.unit === 'inactive') this.unit = 'activating';
      this.onStart(machine);
    }
    if (args[0] === 'stop') this.unit = 'inactive';
    return ok();
  }

  private k3s(machine: MachineContext, args: string[]): CommandResult {
    if (args[0] === '--version') return ok('k3s version v1.33.5+k3s1 (abcdef12)\ngo version go1.24.6\n');
    const [, , verb, , name] = args;
    if (!this.api) return error(1, 'The connection to the server 127.0.0.1:6443 was refused');
    if (verb === 'get' && args[3] === 'configmap') return ok(this.inventory);
    if (verb === 'get' && args[3] === 'daemonset') {
      return ok(this.traefik.length > 1 ? this.traefik.shift() : this.traefik[0]);
    }
    if (verb === 'get') {
      const chosen = args[3] === 'node' ? this.nodes.filter((node) => node.name === name) : this.nodes;
      return ok(chosen.map(row).join(''));
    }
    const file = args.find((arg) => arg.startsWith('--filename='))?.slice('--filename='.length);
    const text = file === undefined ? '' : (machine.files.read(file) ?? 'missing');
    this.calls.push(`kubectl ${args.slice(2).join(' ')}`);
    if (verb === 'apply') {
      this.applied = text;
      return this.apply;
    }
    if (verb === 'create') {
      const value = (key: string) => new RegExp(`${key}: "(.*)"`).exec(text)?.[1];
      this.nodes.push({
        name: /name: (\S+)/.exec(text)?.[1] ?? '',
        member: value('node-name'),
        peer: value('node-address'),
      });
      return ok();
    }
    const selected = args.find((arg) => arg.startsWith('--field-selector=metadata.name='))?.split('=')[2];
    if (selected !== undefined)
      return this.prune[`${args[3]} ${selected}`] ?? { ...ok(), stderr: 'No resources found\n' };
    const node = this.nodes.find((other) => other.name === name);
    if (verb === 'delete' && node) this.onDelete(node);
    if (verb === 'patch' && node) this.nodes = this.nodes.filter((other) => other !== node);
    return ok();
  }
}

function row(node: FakeNode): string {
  const { name, ready, voter, deleting, address, peer, member } = node;
  const cells = [name, ready, voter, deleting, address, peer, member].map((cell) => cell ?? '<none>');
  return `${cells.map((cell) => cell.padEnd(cell.length + 3)).join('')}\n`;
}
