/**
 * The controllers of a K3s cluster that concern nodes: heartbeats and NotReady, EtcdIsVoter, the finalizers, and the
 * controller that ties etcd members to Nodes (k3s pkg/etcd/member_controller.go, pkg/node/controller.go).
 */
import type { Cluster } from './cluster';
import { EtcdError } from './etcd';
import { kindNamed } from './kinds';
import { type Condition, condition, type Node, type Pod, timestamp, withCondition } from './objects';

export const ETCD_ROLE = 'node-role.kubernetes.io/etcd';
export const MEMBER_NAME = 'etcd.k3s.cattle.io/node-name';
export const MEMBER_ADDRESS = 'etcd.k3s.cattle.io/node-address';
const REMOVE = 'etcd.k3s.cattle.io/remove';
const REMOVED_NAME = 'etcd.k3s.cattle.io/removed-node-name';
const ETCD_FINALIZER = 'wrangler.cattle.io/managed-etcd-controller';
const NODE_FINALIZER = 'wrangler.cattle.io/node';

const VOTER_EVERY = 15_000;
/** A Node was NotReady 37 to 43 s after its K3s was killed (measured 2026-11-22 on v1.21). */
const GRACE = { least: 37_000, spread: 6_000 };
/** Its Node conditions, as the kubelet writes them. */
const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];

export const UNREACHABLE = 'node.kubernetes.io/unreachable';

export class Controllers {
  /** When each Node was last heard of, and how long silence is tolerated. */
  private readonly heard = new Map<string, { at: number; grace: number }>();
  /** When a removal that was asked for will be carried out. */
  private readonly due = new Map<string, number>();
  private voterAt = 0;
  /** The revision at which pods were last collected. */
  private collected = -1;
  /** When the controllers last started: what happened before they did not see. */
  private since: number | undefined;

  constructor(private readonly cluster: Cluster) {}

  /** No API: nobody observes anything, and afterwards every grace period starts anew. */
  suspend(): void {
    this.since = undefined;
    this.heard.clear();
    this.due.clear();
  }

  run(): void {
    const now = this.now();
    if (this.since === undefined) {
      this.since = now;
      this.voterAt = now + VOTER_EVERY;
    }
    this.heartbeats(now);
    for (const node of this.nodes()) {
      if (node.metadata.deletionTimestamp) this.finalize(node, now);
      else this.care(node, now);
    }
    if (now >= this.voterAt) {
      this.voterAt += VOTER_EVERY;
      this.writeVoters();
    }
    this.collectPods();
  }

  private heartbeats(now: number): void {
    for (const { nodeName } of this.cluster.reporting()) {
      this.heard.set(nodeName, { at: now, grace: this.drawGrace() });
    }
    for (const node of this.nodes()) {
      const { name } = node.metadata;
      const last = this.heard.get(name);
      if (!last) this.heard.set(name, { at: now, grace: this.drawGrace() });
      else if (last.at === now) this.markAlive(node);
      else if (now - last.at >= last.grace) this.markUnknown(node);
    }
  }

  private drawGrace(): number {
    return GRACE.least + GRACE.spread * this.cluster.model.world.random.next();
  }

  private markAlive(node: Node): void {
    const tainted = node.spec.taints?.some(({ key }) => key === UNREACHABLE);
    if (condition(node, 'Ready')?.status === 'True' && !tainted) return;
    const at = this.at();
    let conditions = node.status.conditions ?? [];
    for (const type of PRESSURES) {
      conditions = withCondition(
        conditions,
        { type, status: 'False', reason: 'KubeletHasSufficientResources', message: 'kubelet has sufficient resources' },
        at,
      );
    }
    conditions = withCondition(
      conditions,
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
      at,
    );
    const taints = node.spec.taints?.filter(({ key }) => key !== UNREACHABLE);
    this.cluster.api.update({ ...node, spec: { ...node.spec, taints }, status: { ...node.status, conditions } });
  }

  private markUnknown(node: Node): void {
    const ready = condition(node, 'Ready');
    if (ready?.status === 'Unknown') return;
    const at = this.at();
    const reason = ready ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated';
    const message = ready ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.';
    let conditions: Condition[] = node.status.conditions ?? [];
    for (const type of [...PRESSURES, 'Ready']) {
      conditions = withCondition(conditions, { type, status: 'Unknown', reason, message }, at);
    }
    const taints = [...(node.spec.taints ?? []), { key: UNREACHABLE, effect: 'NoExecute' as const, timeAdded: at }];
    this.cluster.api.update({ ...node, spec: { ...node.spec, taints }, status: { ...node.status, conditions } });
    for (const pod of this.cluster.api.list<Pod>('Pod')) {
      if (pod.spec.nodeName !== node.metadata.name || condition(pod, 'Ready')?.status !== 'True') continue;
      const unready = withCondition(
        pod.status?.conditions,
        { type: 'Ready', status: 'False', reason: 'NodeNotReady', message: '' },
        at,
      );
      this.cluster.api.update({ ...pod, status: { phase: 'Running', ...pod.status, conditions: unready } });
    }
  }

  /** Finalizers, and the annotation that asks for a member's removal without the Node's. */
  private care(node: Node, now: number): void {
    const finalizers = new Set(node.metadata.finalizers ?? []);
    finalizers.add(NODE_FINALIZER);
    if (node.metadata.labels?.[ETCD_ROLE] !== undefined) finalizers.add(ETCD_FINALIZER);
    if (finalizers.size !== (node.metadata.finalizers?.length ?? 0)) {
      this.cluster.api.update({ ...node, metadata: { ...node.metadata, finalizers: [...finalizers] } });
      return;
    }
    const annotations = node.metadata.annotations ?? {};
    if (annotations[REMOVE]?.toLowerCase() !== 'true' || annotations[REMOVED_NAME] !== undefined) return;
    if (!this.isDue(node, now)) return;
    const name = annotations[MEMBER_NAME];
    const address = annotations[MEMBER_ADDRESS];
    if (name === undefined || address === undefined || !this.removeMember(name, address)) return;
    const { [MEMBER_NAME]: _name, [MEMBER_ADDRESS]: _address, ...kept } = annotations;
    const next = { ...kept, [REMOVED_NAME]: name };
    this.cluster.api.update({ ...node, metadata: { ...node.metadata, annotations: next } });
  }

  /** A Node that is being deleted goes when both controllers have let it go. */
  private finalize(node: Node, now: number): void {
    if (!this.isDue(node, now)) return;
    const held = node.metadata.finalizers ?? [];
    const left = held.filter((finalizer) => {
      if (finalizer === ETCD_FINALIZER) return !this.releaseMember(node);
      if (finalizer === NODE_FINALIZER) return !this.releaseNode(node);
      return true;
    });
    if (left.length < held.length) {
      this.cluster.api.update({ ...node, metadata: { ...node.metadata, finalizers: left } });
    }
  }

  private releaseMember({ metadata: { labels, annotations } }: Node): boolean {
    if (labels?.[ETCD_ROLE] === undefined || annotations?.[REMOVED_NAME]) return true;
    const name = annotations?.[MEMBER_NAME];
    const address = annotations?.[MEMBER_ADDRESS];
    // Without the annotations the controller cannot name the member and the Node stays, being deleted.
    if (name === undefined || address === undefined) return false;
    return this.removeMember(name, address);
  }

  /** The node controller first takes the host out of CoreDNS' configuration, and stops when there is none (measured). */
  private releaseNode({ metadata: { name } }: Node): boolean {
    if (!this.cluster.api.get('ConfigMap', 'coredns', 'kube-system')) return false;
    const secret = `${name}.node-password.k3s`;
    if (this.cluster.api.get('Secret', secret, 'kube-system')) {
      this.cluster.api.delete(kindNamed('Secret'), secret, 'kube-system');
    }
    return true;
  }

  /** Name and address must both match; a member that is not there is removed already. False: etcd refuses for now. */
  private removeMember(name: string, address: string): boolean {
    const { etcd } = this.cluster;
    const member = etcd.members.find((candidate) => candidate.name === name && candidate.address === address);
    if (!member) return true;
    try {
      etcd.remove(member.id);
      return true;
    } catch (error) {
      if (error instanceof EtcdError) return false;
      throw error;
    }
  }

  /** The controllers react to a change after a moment, and then on every round. */
  private isDue({ metadata: { uid, name } }: Node, now: number): boolean {
    const key = uid ?? name;
    const at = this.due.get(key) ?? now + this.cluster.model.world.latency.sample('k3s.remove-member', name);
    this.due.set(key, at);
    return now >= at;
  }

  /** Written by the leader for members it reaches; what it said of the others stays. */
  private writeVoters(): void {
    const { etcd, api } = this.cluster;
    for (const node of this.nodes()) {
      const member = etcd.members.find(({ name }) => name === node.metadata.annotations?.[MEMBER_NAME]);
      if (!member || !etcd.inContact(member.id)) continue;
      const status = member.learner ? 'False' : 'True';
      if (condition(node, 'EtcdIsVoter')?.status === status) continue;
      const conditions = withCondition(
        node.status.conditions,
        {
          type: 'EtcdIsVoter',
          status,
          reason: member.learner ? 'MemberIsLearner' : 'MemberNotLearner',
          message: member.learner
            ? 'Node has not been promoted to voting member of the etcd cluster'
            : 'Node is a voting member of the etcd cluster',
        },
        this.at(),
      );
      api.update({ ...node, status: { ...node.status, conditions } });
    }
  }

  /** Pods of Nodes that are gone. */
  private collectPods(): void {
    const { revision } = this.cluster.api;
    if (revision === this.collected) return;
    this.collected = revision;
    const names = new Set(this.nodes().map(({ metadata }) => metadata.name));
    for (const pod of this.cluster.api.list<Pod>('Pod')) {
      if (pod.spec.nodeName !== undefined && !names.has(pod.spec.nodeName)) this.cluster.api.forget(pod);
    }
  }

  private nodes(): Node[] {
    return this.cluster.api.list<Node>('Node');
  }

  private now(): number {
    return this.cluster.model.world.clock.now();
  }

  private at(): string {
    return timestamp(this.now());
  }
}
