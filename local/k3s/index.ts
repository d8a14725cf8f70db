/**
 * The model of K3s on the machines of the embedded AWS: servers with embedded etcd, their API and their workloads. It
 * knows machines, their disks and the network, and nothing of AWS. What it reproduces is written down case by case in
 * `test/local/k3s/measured.test.ts`.
 */
import type { World } from '../aws/service';
import type { Network } from '../network';
import { type ClusterCensus, census } from './census';
import type { Cluster } from './cluster';
import type { Commands, K3sUrls, MachineContext, MachineEvents } from './command';
import { answer, etcdHealth } from './endpoints';
import type { Registries } from './images';
import { type Model, ServerMachine } from './machine';
import { condition, type Node, type Pod } from './objects';
import { programs } from './programs';
import { KUBECONFIG } from './server/disk';

/** The cluster as an onlooker sees it: of the cluster that has a leader, or else the newest with a running member. */
export interface K3sState {
  /** UUID; null before the first server started. */
  cluster: string | null;
  /** How many clusters were ever started, resets and restores included. */
  clusters: number;
  /** Whether writes are possible. */
  quorum: boolean;
  members: { id: string; name: string; address: string; learner: boolean; running: boolean; leader: boolean }[];
  nodes: {
    name: string;
    ready: 'True' | 'False' | 'Unknown';
    voter: boolean;
    zone: string | null;
    deleting: boolean;
  }[];
  pods: { namespace: string; name: string; node: string | null; ready: boolean }[];
}

export type { CensusMember, ClusterCensus } from './census';

export interface K3s extends MachineEvents {
  commands: Commands;
  /** Answers `curl` on a machine. */
  respond: K3sUrls;
  state(): K3sState;
  /** Every cluster that ever was, oldest first. */
  clusters(): ClusterCensus[];
  /** K3s is killed with SIGKILL; its containers run on and systemd starts it again. */
  crash(instanceId: string): void;
  /** The administrator's kubeconfig as K3s wrote it on a running server; undefined when there is none. A secret. */
  kubeconfig(instanceId: string): string | undefined;
  close(): void;
}

/**
 * @param world clock, randomness and delays; nothing else of it is used
 * @param options.network where servers and pods listen, and who reaches whom
 * @param options.registries those that want a login; none unless given
 */
export function createK3s(
  world: World,
  { network, registries = OPEN }: { network: Network; registries?: Registries },
): K3s {
  const { clock, latency, faults, credentials, account, region, zones } = world;
  const random = world.random.fork('k3s');
  const log: World['log'] = (message, detail) => world.log(message, detail);
  const own: World = { clock, random, latency, faults, credentials, account, region, zones, log };
  const machines = new Map<string, ServerMachine>();
  const clusters = new Map<string, Cluster>();
  const model: Model = {
    world: own,
    network,
    registries,
    machines,
    clusters,
    machineAt: (address) => {
      const candidates = [...machines.values()].filter((machine) => machine.address === address);
      // An address may have been another machine's before.
      return candidates.find((machine) => machine.on) ?? candidates[0];
    },
  };

  const machineOf = ({ spec }: MachineContext): ServerMachine => {
    const machine = machines.get(spec.instanceId);
    if (!machine?.on) throw new Error(`${spec.instanceId} has not booted`);
    return machine;
  };

  return {
    commands: programs(machineOf),

    respond: async (context, { method, url }) => {
      const machine = machineOf(context);
      const path = `${url.pathname}${url.search}`;
      const local = url.hostname === '127.0.0.1' || url.hostname === 'localhost';
      if (url.protocol === 'http:' && url.port === '2381' && local) {
        if (path !== '/health') return undefined;
        const health = etcdHealth(machine.unit.process);
        return health ? { status: health.status, body: health.body ?? '' } : 'refused';
      }
      if (url.protocol !== 'https:' || url.port !== '6443') return undefined;
      const peer = local ? machine : model.machineAt(url.hostname);
      if (!peer?.on) return peer ? 'unreachable' : undefined;
      const reached = peer === machine || network.reachable(machine.address, peer.address);
      if (!peer.alive() || !reached) return 'unreachable';
      const server = peer.unit.process;
      if (!server?.listening) return 'refused';
      const { status, body } = await answer(server, { method, path }, local);
      return { status, body: body ?? '' };
    },

    onBoot: (context) => {
      const { instanceId } = context.spec;
      const machine = machines.get(instanceId) ?? new ServerMachine(model, context);
      machines.set(instanceId, machine);
      machine.boot(context);
    },
    onKill: (instanceId) => machines.get(instanceId)?.kill(),
    onFreeze: (instanceId) => machines.get(instanceId)?.freeze(),
    onErase: (instanceId) => {
      machines.get(instanceId)?.kill();
      machines.delete(instanceId);
    },
    crash: (instanceId) => machines.get(instanceId)?.unit.crash(),

    kubeconfig: (instanceId) => {
      const machine = machines.get(instanceId);
      return machine?.alive() ? machine.files.read(KUBECONFIG) : undefined;
    },

    state: () => describe(current(clusters), clusters.size),

    clusters: () => [...clusters.values()].map(census),

    close: () => {
      for (const machine of machines.values()) machine.kill();
      for (const cluster of clusters.values()) cluster.close();
    },
  };
}

const OPEN: Registries = { holds: () => false, pull: async () => ({ status: 404 }) };

function current(clusters: ReadonlyMap<string, Cluster>): Cluster | undefined {
  const newest = [...clusters.values()].reverse();
  return newest.find(({ etcd }) => etcd.writable) ?? newest.find(({ servers }) => servers.size > 0) ?? newest.at(0);
}

function describe(cluster: Cluster | undefined, clusters: number): K3sState {
  if (!cluster) return { cluster: null, clusters, quorum: false, members: [], nodes: [], pods: [] };
  const { etcd, api, servers } = cluster;
  return {
    cluster: cluster.uuid,
    clusters,
    quorum: etcd.writable,
    members: etcd.members.map((member) => ({
      ...member,
      running: servers.get(member.id)?.machine.alive() ?? false,
      leader: etcd.leader === member.id,
    })),
    nodes: api.list<Node>('Node').map((node) => ({
      name: node.metadata.name,
      ready: condition(node, 'Ready')?.status ?? 'Unknown',
      voter: condition(node, 'EtcdIsVoter')?.status === 'True',
      zone: node.metadata.labels?.['topology.kubernetes.io/zone'] ?? null,
      deleting: node.metadata.deletionTimestamp !== undefined,
    })),
    pods: api.list<Pod>('Pod').map(({ metadata, spec, status }) => ({
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      node: spec.nodeName ?? null,
      ready: condition({ status }, 'Ready')?.status === 'True',
    })),
  };
}
