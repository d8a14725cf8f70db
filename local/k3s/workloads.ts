/** Deployments and DaemonSets become pods, and pods get nodes; pods leave nodes that are gone for too long. */
import { createHash } from 'node:crypto';
import { ApiError } from './api';
import { scaleAutomatically } from './autoscaler';
import type { Cluster } from './cluster';
import { UNREACHABLE } from './controllers';
import { countDisruptions } from './disruption';
import { allKinds, kindNamed } from './kinds';
import {
  condition,
  conditionsOf,
  type DaemonSet,
  type Deployment,
  type KubeObject,
  type Node,
  type Pod,
  type PodSpec,
  type ReplicaSet,
  type Toleration,
  timestamp,
  withCondition,
} from './objects';
import { minorOf } from './release';
import { place, tolerates } from './scheduler';
import { balanceServices, publishAddresses } from './servicelb';

/** The labels that tell a pod's template, of a ReplicaSet and of a DaemonSet. */
const TEMPLATE = 'pod-template-hash';
const REVISION = 'controller-revision-hash';
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
    scaleAutomatically(api);
    for (const daemonSet of api.list<DaemonSet>('DaemonSet')) this.daemonSet(daemonSet);
    for (const deployment of api.list<Deployment>('Deployment')) this.deployment(deployment);
    this.schedule();
    countDisruptions(api);
    publishAddresses(api);
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
    for (const { kind, namespaced } of allKinds()) {
      if (!namespaced) continue;
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
    const owned = this.owned([daemonSet]);
    const nodes = this.nodes().filter(({ metadata }) => matches(template.spec.nodeSelector, metadata.labels));
    const missing = nodes.filter(({ metadata }) => !owned.some((pod) => pod.spec.nodeName === metadata.name));
    const failure = this.each(missing, ({ metadata: { name } }) =>
      this.create(daemonSet, template, { [REVISION]: hash }, { ...DAEMON, nodeName: name }),
    );
    // One pod at a time, as maxUnavailable 1 does; its successor comes in the next round.
    const outdated = owned.find(({ metadata }) => metadata.labels?.[REVISION] !== hash);
    if (outdated && owned.every(isReady)) this.delete(outdated);
    const current = this.owned([daemonSet]);
    const ready = current.filter(isReady).length;
    this.status(
      daemonSet,
      {
        currentNumberScheduled: current.length,
        desiredNumberScheduled: nodes.length,
        numberAvailable: ready,
        numberMisscheduled: 0,
        numberReady: ready,
        updatedNumberScheduled: current.filter(({ metadata }) => metadata.labels?.[REVISION] === hash).length,
      },
      failure,
    );
    for (const pod of current) {
      if (!nodes.some(({ metadata }) => metadata.name === pod.spec.nodeName)) {
        api.delete(kindNamed('Pod'), pod.metadata.name, pod.metadata.namespace);
      }
    }
  }

  private deployment(deployment: Deployment): void {
    const { replicas, template } = deployment.spec;
    const hash = hashOf(template);
    const newest = this.replicaSet(deployment, hash);
    const sets = this.replicaSets(deployment);
    const owned = this.owned(sets);
    const current = owned.filter(({ metadata }) => metadata.labels?.[TEMPLATE] === hash);
    const outdated = owned.filter(({ metadata }) => metadata.labels?.[TEMPLATE] !== hash);
    // One pod more than wanted while a new template replaces an old one.
    const room = replicas + (outdated.length > 0 ? 1 : 0) - owned.length;
    const missing = Math.max(0, Math.min(replicas - current.length, room));
    const failure = this.each(Array.from({ length: missing }), () =>
      this.create(newest, template, { [TEMPLATE]: hash }, {}),
    );
    for (const pod of surplus(current, replicas)) this.delete(pod);
    const available = owned.filter(isReady).length;
    const retirable = outdated.find((pod) => !isReady(pod)) ?? outdated[0];
    if (retirable && (!isReady(retirable) || available > replicas)) this.delete(retirable);
    const pods = this.owned(sets);
    const ready = pods.filter(isReady).length;
    for (const set of sets) this.resize(set, hash, replicas);
    this.prune(deployment, sets, hash);
    this.status(
      deployment,
      {
        replicas: pods.length,
        readyReplicas: ready,
        availableReplicas: ready,
        unavailableReplicas: Math.max(0, replicas - ready),
        updatedReplicas: pods.filter(({ metadata }) => metadata.labels?.[TEMPLATE] === hash).length,
      },
      failure,
    );
  }

  /** The ReplicaSet of a template: created when the template is new. */
  private replicaSet(deployment: Deployment, hash: string): KubeObject {
    const { api } = this.cluster;
    const { name: of, namespace, uid = '', annotations } = deployment.metadata;
    const name = `${of}-${hash}`;
    const existing = api.get('ReplicaSet', name, namespace);
    if (existing) return existing;
    const { apiVersion, kind, spec } = deployment;
    const labels = { ...spec.template.metadata?.labels, [TEMPLATE]: hash };
    return api.create({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace,
        labels,
        annotations,
        ownerReferences: [{ apiVersion, kind, name: of, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        replicas: spec.replicas,
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [TEMPLATE]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    });
  }

  private replicaSets({ metadata: { uid } }: Deployment): ReplicaSet[] {
    const sets = this.cluster.api.list<ReplicaSet>('ReplicaSet');
    return sets.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  }

  private resize(set: ReplicaSet, hash: string, replicas: number): void {
    const pods = this.owned([set]);
    const ready = pods.filter(isReady).length;
    const wanted = set.metadata.labels?.[TEMPLATE] === hash ? replicas : pods.length;
    const status = { replicas: pods.length, readyReplicas: ready, availableReplicas: ready };
    this.cluster.api.update({ ...set, spec: { ...set.spec, replicas: wanted }, status });
  }

  /** Old templates are remembered for a rollback, but not for ever. */
  private prune({ spec }: Deployment, sets: readonly ReplicaSet[], hash: string): void {
    const limit = typeof spec.revisionHistoryLimit === 'number' ? spec.revisionHistoryLimit : 10;
    const old = sets.filter((set) => set.metadata.labels?.[TEMPLATE] !== hash && this.owned([set]).length === 0);
    old.sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1));
    for (const set of old.slice(limit)) this.cluster.api.forget(set);
  }

  /** Until one is refused: the controller stops there and tries again. Returns the refusal. */
  private each<T>(items: readonly T[], create: (item: T) => void): string | undefined {
    try {
      for (const item of items) create(item);
      return undefined;
    } catch (error) {
      if (error instanceof ApiError) return error.message;
      throw error;
    }
  }

  private create(
    owner: KubeObject,
    template: Deployment['spec']['template'],
    revision: Record<string, string>,
    placement: { nodeName?: string; tolerations?: readonly Toleration[] },
  ): void {
    const { api, model } = this.cluster;
    const { name, namespace, uid = '' } = owner.metadata;
    const { nodeName } = placement;
    const spec: PodSpec & { nodeName?: string } = {
      ...template.spec,
      tolerations: [...(template.spec.tolerations ?? []), ...(placement.tolerations ?? this.defaults(template.spec))],
    };
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-${model.world.random.hex(5)}`,
        namespace,
        labels: { ...template.metadata?.labels, ...revision },
        ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true }],
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

  private status(owner: KubeObject, status: Record<string, number>, failure: string | undefined): void {
    const { api, model } = this.cluster;
    const { name, namespace, generation } = owner.metadata;
    const stored = api.get(owner.kind, name, namespace);
    if (!stored) return;
    const conditions =
      failure === undefined
        ? undefined
        : withCondition(
            conditionsOf(stored),
            { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: failure },
            timestamp(model.world.clock.now()),
          ).map(({ lastHeartbeatTime: _, ...condition }) => condition);
    api.update({ ...stored, status: { ...status, observedGeneration: generation, ...(conditions && { conditions }) } });
  }

  private owned(owners: readonly KubeObject[]): Pod[] {
    const uids = new Set(owners.map(({ metadata }) => metadata.uid));
    return this.pods().filter(
      ({ metadata }) => !metadata.deletionTimestamp && metadata.ownerReferences?.some(({ uid }) => uids.has(uid)),
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
