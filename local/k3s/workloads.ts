/** Deployments and DaemonSets become pods, and pods get nodes; pods leave nodes that are gone for too long. */
import { createHash } from 'node:crypto';
import type { Cluster } from './cluster';
import { UNREACHABLE } from './controllers';
import { kindNamed } from './kinds';
import {
  condition,
  type DaemonSet,
  type Deployment,
  type KubeObject,
  type Node,
  type Pod,
  type PodSpec,
  type Toleration,
} from './objects';
import { minorOf } from './release';
import { place, tolerates } from './scheduler';
import { balanceServices } from './servicelb';

/** The label that tells a pod's template; Kubernetes has one per controller, this model one for both. */
const TEMPLATE = 'pod-template-hash';
const ZONE_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

export class Workloads {
  private seen = -1;

  constructor(private readonly cluster: Cluster) {}

  reconcile(): void {
    const { api } = this.cluster;
    const evicted = this.evict();
    if (!evicted && api.revision === this.seen) return;
    this.collect();
    balanceServices(this.cluster);
    for (const daemonSet of api.list<DaemonSet>('DaemonSet')) this.daemonSet(daemonSet);
    for (const deployment of api.list<Deployment>('Deployment')) this.deployment(deployment);
    this.schedule();
    this.seen = api.revision;
  }

  /** Pods leave an unreachable node when their toleration ends; they stay listed, terminating, until the Node is gone. */
  private evict(): boolean {
    const { api, model } = this.cluster;
    const now = model.world.clock.now();
    let evicted = false;
    for (const node of this.nodes()) {
      const taint = node.spec.taints?.find(({ key, effect }) => key === UNREACHABLE && effect === 'NoExecute');
      if (!taint?.timeAdded) continue;
      const since = now - Date.parse(taint.timeAdded);
      for (const pod of this.pods()) {
        if (pod.spec.nodeName !== node.metadata.name || pod.metadata.deletionTimestamp) continue;
        const toleration = pod.spec.tolerations?.find((candidate) => tolerates(candidate, taint));
        const limit = toleration ? toleration.tolerationSeconds : 0;
        if (limit === undefined || since < limit * 1000) continue;
        api.delete(kindNamed('Pod'), pod.metadata.name, pod.metadata.namespace);
        evicted = true;
      }
    }
    return evicted;
  }

  /** What belongs to something that is gone: pods of deleted owners, objects of deleted namespaces. */
  private collect(): void {
    const { api } = this.cluster;
    const namespaces = new Set(api.list('Namespace').map(({ metadata }) => metadata.name));
    for (const kind of ['Pod', 'Deployment', 'DaemonSet', 'Service', 'ConfigMap', 'Secret', 'Ingress'] as const) {
      for (const object of api.list(kind)) {
        const { namespace, ownerReferences, name, deletionTimestamp } = object.metadata;
        if (namespace !== undefined && !namespaces.has(namespace)) api.forget(object);
        else if (!deletionTimestamp && ownerReferences?.some((owner) => !this.exists(owner, namespace))) {
          api.delete(kindNamed(kind), name, namespace);
        }
      }
    }
  }

  private exists(owner: { kind: string; name: string; uid: string }, namespace: string | undefined): boolean {
    return this.cluster.api.get(owner.kind, owner.name, namespace)?.metadata.uid === owner.uid;
  }

  private daemonSet(daemonSet: DaemonSet): void {
    const { api } = this.cluster;
    const { template } = daemonSet.spec;
    const hash = hashOf(template);
    const owned = this.owned(daemonSet);
    const nodes = this.nodes().filter(({ metadata }) => matches(template.spec.nodeSelector, metadata.labels));
    for (const node of nodes) {
      const { name } = node.metadata;
      if (owned.some((pod) => pod.spec.nodeName === name)) continue;
      this.create(daemonSet, template, hash, { ...DAEMON, nodeName: name });
    }
    // One pod at a time, as maxUnavailable 1 does; its successor comes in the next round.
    const outdated = owned.find(({ metadata }) => metadata.labels?.[TEMPLATE] !== hash);
    if (outdated && owned.every(isReady)) this.delete(outdated);
    const current = this.owned(daemonSet);
    this.status(daemonSet, {
      currentNumberScheduled: current.length,
      desiredNumberScheduled: nodes.length,
      numberAvailable: current.filter(isReady).length,
      numberReady: current.filter(isReady).length,
      updatedNumberScheduled: current.filter(({ metadata }) => metadata.labels?.[TEMPLATE] === hash).length,
    });
    for (const pod of current) {
      if (!nodes.some(({ metadata }) => metadata.name === pod.spec.nodeName)) {
        api.delete(kindNamed('Pod'), pod.metadata.name, pod.metadata.namespace);
      }
    }
  }

  private deployment(deployment: Deployment): void {
    const { replicas, template } = deployment.spec;
    const hash = hashOf(template);
    const owned = this.owned(deployment);
    const current = owned.filter(({ metadata }) => metadata.labels?.[TEMPLATE] === hash);
    const outdated = owned.filter(({ metadata }) => metadata.labels?.[TEMPLATE] !== hash);
    // One pod more than wanted while a new template replaces an old one.
    const room = replicas + (outdated.length > 0 ? 1 : 0) - owned.length;
    for (let missing = Math.min(replicas - current.length, room); missing > 0; missing--) {
      this.create(deployment, template, hash, {});
    }
    for (const pod of surplus(current, replicas)) this.delete(pod);
    const available = owned.filter(isReady).length;
    const retirable = outdated.find((pod) => !isReady(pod)) ?? outdated[0];
    if (retirable && (!isReady(retirable) || available > replicas)) this.delete(retirable);
    const pods = this.owned(deployment);
    const ready = pods.filter(isReady).length;
    this.status(deployment, {
      replicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      updatedReplicas: pods.filter(({ metadata }) => metadata.labels?.[TEMPLATE] === hash).length,
    });
  }

  private create(
    owner: KubeObject,
    template: Deployment['spec']['template'],
    hash: string,
    placement: { nodeName?: string; tolerations?: readonly Toleration[] },
  ): void {
    const { api, model } = this.cluster;
    const { name, namespace, uid } = owner.metadata;
    const { nodeName } = placement;
    const labels: Record<string, string> = { ...template.metadata?.labels, [TEMPLATE]: hash };
    const spec: PodSpec & { nodeName?: string } = {
      ...template.spec,
      tolerations: [...(template.spec.tolerations ?? []), ...(placement.tolerations ?? this.defaults(template.spec))],
    };
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-${hash}-${model.world.random.hex(5)}`,
        namespace,
        labels,
        ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name, uid: uid ?? '', controller: true }],
      },
      spec,
      status: { phase: 'Pending' },
    };
    const created = api.create(pod);
    if (nodeName !== undefined) this.bind(created, nodeName);
  }

  /** What the API server adds to a pod that says nothing of its own (DefaultTolerationSeconds). */
  private defaults({ tolerations }: PodSpec): Toleration[] {
    const seconds = this.cluster.reporting()[0]?.tolerationSeconds ?? 300;
    return ['node.kubernetes.io/not-ready', UNREACHABLE]
      .filter((key) => !tolerations?.some((own) => tolerates(own, { key, effect: 'NoExecute' })))
      .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }));
  }

  private schedule(): void {
    const pods = this.pods();
    for (const pod of pods) {
      if (pod.spec.nodeName !== undefined || pod.metadata.deletionTimestamp) continue;
      const node = place(pod, this.nodes(), this.pods());
      if (node) this.bind(pod, node.metadata.name);
    }
  }

  private bind(pod: KubeObject, nodeName: string): void {
    const { api } = this.cluster;
    const node = api.get('Node', nodeName);
    const zones = ZONE_LABELS.flatMap((label) => {
      const value = node?.metadata.labels?.[label];
      return value === undefined ? [] : [[label, value] as const];
    });
    // Kubernetes copies a node's zone and region to its pods since v1.35 (KEP-4742).
    const release = [...this.cluster.servers.values()][0]?.release;
    const topology = release && minorOf(release) >= 35 ? Object.fromEntries(zones) : {};
    const labels = { ...pod.metadata.labels, ...topology };
    api.update({ ...pod, metadata: { ...pod.metadata, labels }, spec: { ...toMap(pod.spec), nodeName } });
  }

  private status(owner: KubeObject, status: Record<string, number>): void {
    const { api } = this.cluster;
    const { name, namespace, generation } = owner.metadata;
    const stored = api.get(owner.kind, name, namespace);
    if (stored) api.update({ ...stored, status: { ...status, observedGeneration: generation } });
  }

  private owned({ metadata: { uid } }: KubeObject): Pod[] {
    return this.pods().filter(
      ({ metadata }) => !metadata.deletionTimestamp && metadata.ownerReferences?.some((owner) => owner.uid === uid),
    );
  }

  private delete(pod: Pod): void {
    this.cluster.api.delete(kindNamed('Pod'), pod.metadata.name, pod.metadata.namespace);
  }

  private nodes(): Node[] {
    return this.cluster.api.list<Node>('Node').filter(({ metadata }) => !metadata.deletionTimestamp);
  }

  private pods(): Pod[] {
    return this.cluster.api.list<Pod>('Pod');
  }
}

/** What every DaemonSet's pod tolerates without saying so. */
const DAEMON: { tolerations: readonly Toleration[] } = {
  tolerations: [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: UNREACHABLE, operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
  ],
};

/** The pods to remove first: those that are not ready. */
function surplus(pods: readonly Pod[], replicas: number): Pod[] {
  if (pods.length <= replicas) return [];
  const order = [...pods].sort((a, b) => Number(isReady(a)) - Number(isReady(b)));
  return order.slice(0, pods.length - replicas);
}

function isReady(pod: Pod): boolean {
  return condition({ status: pod.status }, 'Ready')?.status === 'True';
}

function matches(selector: Record<string, string> | undefined, labels: Record<string, string> | null | undefined) {
  return Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);
}

function hashOf(template: unknown): string {
  return createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10);
}

function toMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
