/**
 * What the orchestrator sees: the one description of the world on which every decision is taken. Absence of knowledge
 * is a value of its own (`null`, `'unknown'`), because unknown is never unhealthy (safety rule 6).
 */

/** The latch (safety rule 12): `initialised` is final until the cluster is deleted. */
export type Phase =
  | { name: 'uninitialised' }
  | { name: 'initialising'; instanceId: string }
  | { name: 'initialised'; caHash: string };

/** The item `cluster` of the table. */
export interface ClusterRecord {
  /** Only a person's execution sets `present`; only the delete workflow sets `absent`. */
  desired: 'present' | 'absent';
  phase: Phase;
  /** UUID of this life of the cluster: part of every client token. */
  incarnation: string;
  /** Frozen at init; null before. */
  k3sVersion: string | null;
  paused: boolean;
  /** SHA-256 of the manifest archive that was applied last; null before the first. */
  appliedManifests: string | null;
}

/** What speaks against an instance, and since when it has been saying so without a break. */
export interface Suspicion {
  instanceId: string;
  /** Epoch ms. */
  since: number;
  /** When a signal was last seen, epoch ms: a gap in the looking breaks the dwell. */
  lastSeen: number;
  signals: string[];
}

/** A replacement that has begun and has not been told as done. */
export interface Replacement {
  /** The server that leaves. */
  instanceId: string;
  /** Since when something was wrong with it, epoch ms, as far as anybody noticed. */
  since: number;
  /** When the replacement was decided, epoch ms. */
  startedAt: number;
  /** Completes "server-1 i-0b7… …". */
  reason: string;
  /** What was decided and on what evidence. */
  decision: string;
}

export interface SlotInstance {
  instanceId: string;
  generation: number;
  /** Epoch ms. */
  launchedAt: number;
  /** As EC2 gave it at the launch: EC2 forgets it at the termination, when its etcd member must still be found. */
  privateIp?: string;
}

/** A server that left for good although its slot needed one, so that it had to be replaced. */
export interface Departure {
  instanceId: string;
  /** When it was forgotten, epoch ms. */
  at: number;
  /** It was given up because it did not join. */
  failed: boolean;
  /** The life of the cluster that it counts as a replacement in; null when the cluster was still being created. */
  incarnation: string | null;
}

/** The item `slot/<n>` of the table: the inventory. */
export interface SlotRecord {
  slot: number;
  /** Of the newest launch; 0 before the first. */
  generation: number;
  /** Launched and not yet forgotten, oldest first. */
  instances: SlotInstance[];
  /** Signals against the slot's server; null when there are none. */
  suspicion: Suspicion | null;
  /** Who left it although it needed a server; older ones than of the last hour may be missing. */
  departures: Departure[];
  replacing: Replacement | null;
}

/**
 * EC2's states. `terminated` also stands for an inventoried instance that EC2 does not know any more (it forgets about
 * an hour after termination); `unknown` means that EC2 could not be asked, or does not know it *yet*.
 */
export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped' | 'unknown';

export type TargetGroupName = 'http' | 'https' | 'api';

export type TargetHealth = 'initial' | 'healthy' | 'unhealthy' | 'draining' | 'unused' | 'unregistered' | 'unknown';

export interface ObservedInstance {
  instanceId: string;
  /** From the table, else from the instance's tags. */
  slot: number;
  generation: number;
  /** In the table; an instance that carries our tags but is not in it is a leftover of a crashed launch. */
  inventoried: boolean;
  state: InstanceState;
  availabilityZone: string | null;
  privateIp: string | null;
  /** Epoch ms; null when EC2 does not know it any more. */
  launchedAt: number | null;
  statusCheck: 'ok' | 'impaired' | 'initializing' | 'unknown';
  /** SSM: only corroborates, it is updated every five minutes. */
  agent: 'online' | 'lost' | 'never' | 'unknown';
  targets: Record<TargetGroupName, TargetHealth>;
  /** What the server says of itself; null when it was not asked or did not answer in time. */
  report: ServerReport | null;
}

/** The answer of `nodes/report-status.sh` on one server. */
export interface ServerReport {
  /** The state of its unit; `failed` also when it will never run, `preparing` until user data has finished. */
  k3s: 'active' | 'activating' | 'inactive' | 'failed' | 'preparing';
  /** etcd's own health endpoint; null when nothing answers. */
  etcdHealthy: boolean | null;
  /** The API server answered and this server's view of the cluster follows. */
  apiReady: boolean;
  members: EtcdMember[] | null;
  nodes: ClusterNode[] | null;
  caHash: string | null;
  k3sVersion: string | null;
}

export interface EtcdMember {
  name: string;
  /** IP address of its peer URL. */
  address: string;
  learner: boolean;
}

export interface ClusterNode {
  /** The instance id. */
  name: string;
  ready: 'True' | 'False' | 'Unknown';
  /** Condition EtcdIsVoter: written by the leader only and stale on dead nodes; never use it alone. */
  voter: boolean;
  deleting: boolean;
  /** Annotation etcd.k3s.cattle.io/node-name; null when absent. */
  member: string | null;
  address: string | null;
}

/** The cluster as its own API describes it, from the healthiest reporter; null when no server could say. */
export interface ClusterView {
  /** Instance ids of the servers whose reports agree on this view. */
  reporters: string[];
  members: EtcdMember[];
  nodes: ClusterNode[];
}

export interface Observation {
  /** Epoch ms. */
  at: number;
  cluster: ClusterRecord;
  /** One per configured slot, in order. */
  slots: SlotRecord[];
  /** Every instance of this cluster that the table or EC2 knows, terminated ones included while in the table. */
  instances: ObservedInstance[];
  view: ClusterView | null;
  /** Reads that failed (throttled, denied): what they would have told is `unknown` above. */
  blind: string[];
}
