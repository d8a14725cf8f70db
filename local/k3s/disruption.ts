/** What disruption budgets say of their pods (kubernetes pkg/controller/disruption). Evictions are not modelled. */
import type { Api } from './api';
import { condition, Deployment, type Pod, selects } from './objects';
import { PodDisruptionBudget } from './policies';

export function countDisruptions(api: Api): void {
  for (const object of api.list('PodDisruptionBudget')) {
    const { metadata, spec } = PodDisruptionBudget.parse(object);
    const pods = api.list<Pod>('Pod', metadata.namespace).filter((pod) => selects(spec.selector, pod.metadata.labels));
    const healthy = pods.filter((pod) => {
      return !pod.metadata.deletionTimestamp && condition({ status: pod.status }, 'Ready')?.status === 'True';
    }).length;
    const expected = expectedPods(api, pods);
    const desired =
      spec.maxUnavailable === undefined
        ? amount(spec.minAvailable ?? 1, expected)
        : Math.max(0, expected - amount(spec.maxUnavailable, expected));
    api.update({
      ...object,
      status: {
        currentHealthy: healthy,
        desiredHealthy: desired,
        expectedPods: expected,
        disruptionsAllowed: Math.max(0, healthy - desired),
        observedGeneration: metadata.generation,
      },
    });
  }
}

/** As many as their Deployments want; of what cannot be scaled, as many as there are. */
function expectedPods(api: Api, pods: readonly Pod[]): number {
  const owners = pods.map(({ metadata }) => {
    const [owner] = metadata.ownerReferences ?? [];
    return owner?.kind === 'ReplicaSet' ? api.get('ReplicaSet', owner.name, metadata.namespace) : undefined;
  });
  const names = new Set(owners.flatMap((set) => set?.metadata.ownerReferences?.map(({ name }) => name) ?? []));
  const namespace = pods[0]?.metadata.namespace;
  const scaled = [...names].map((name) => {
    const deployment = api.get('Deployment', name, namespace);
    return deployment ? Deployment.parse(deployment).spec.replicas : 0;
  });
  const others = owners.filter((owner) => owner === undefined).length;
  return scaled.reduce((sum, replicas) => sum + replicas, others);
}

/** Percentages are rounded up (GetScaledValueFromIntOrPercent). */
function amount(value: number | string, of: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number(value.slice(0, -1)) / 100) * of);
}
