/** The Kubernetes scheduler's choice of a node, as far as the manifests here use it. */
import { condition, type Node, type Pod, type Selector, selects, type Taint, type Toleration } from './objects';

/** The best node for a pod; undefined when none fits, and the pod stays pending. */
export function place(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): Node | undefined {
  const running = pods.filter(({ spec, metadata }) => spec.nodeName !== undefined && !metadata.deletionTimestamp);
  const fitting = nodes.filter((node) => fits(pod, node, nodes, running));
  const scored = fitting.map((node) => ({ node, score: score(pod, node, nodes, running) }));
  scored.sort((a, b) => compare(a.score, b.score) || (a.node.metadata.name < b.node.metadata.name ? -1 : 1));
  return scored[0]?.node;
}

/** Whether a toleration covers a taint. */
export function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined) return operator === 'Exists';
  if (key !== taint.key) return false;
  return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
}

function fits(pod: Pod, node: Node, nodes: readonly Node[], running: readonly Pod[]): boolean {
  const { spec } = pod;
  if (condition(node, 'Ready')?.status !== 'True' || node.spec.unschedulable) return false;
  if (!matches(spec.nodeSelector, node)) return false;
  const hard = (node.spec.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule');
  if (hard.some((taint) => !spec.tolerations?.some((toleration) => tolerates(toleration, taint)))) return false;
  for (const { topologyKey, labelSelector } of requiredAntiAffinity(pod)) {
    if (count(pod, node, topologyKey, labelSelector, nodes, running) > 0) return false;
  }
  for (const { maxSkew, topologyKey, whenUnsatisfiable, labelSelector } of spec.topologySpreadConstraints ?? []) {
    if (whenUnsatisfiable !== 'DoNotSchedule') continue;
    // Nodes that are tainted or not Ready count too (nodeTaintsPolicy: Ignore, the default): until a dead node is deleted,
    // a pod of its own may have nowhere to go.
    const eligible = nodes.filter((other) => matches(spec.nodeSelector, other));
    const counts = eligible.map((other) => count(pod, other, topologyKey, labelSelector, nodes, running));
    if (count(pod, node, topologyKey, labelSelector, nodes, running) + 1 - Math.min(...counts) > maxSkew) return false;
  }
  return true;
}

function matches(selector: Record<string, string> | undefined, { metadata: { labels } }: Node): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);
}

/** Lower is better: first the pod's own spread wishes, then siblings in the zone and on the node, then all pods. */
function score(pod: Pod, node: Node, nodes: readonly Node[], running: readonly Pod[]): number[] {
  const wishes = (pod.spec.topologySpreadConstraints ?? []).map(({ topologyKey, labelSelector }) =>
    count(pod, node, topologyKey, labelSelector, nodes, running),
  );
  const preferred = pod.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const avoided = preferred.map(
    ({ weight, podAffinityTerm: { topologyKey, labelSelector } }) =>
      weight * count(pod, node, topologyKey, labelSelector, nodes, running),
  );
  const owner = pod.metadata.ownerReferences?.[0]?.uid;
  const siblings = running.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === owner);
  const here = (candidate: Pod) => candidate.spec.nodeName === node.metadata.name;
  return [
    wishes.reduce((sum, wish) => sum + wish, 0) + avoided.reduce((sum, wish) => sum + wish, 0),
    siblings.filter(here).length,
    running.filter(here).length,
  ];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function requiredAntiAffinity({ spec }: Pod) {
  return spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

/** Pods of the same namespace that a selector means, in a node's domain. */
function count(
  pod: Pod,
  node: Node,
  topologyKey: string,
  selector: Selector | undefined,
  nodes: readonly Node[],
  running: readonly Pod[],
): number {
  const domain = node.metadata.labels?.[topologyKey];
  const names = new Set(
    nodes.filter(({ metadata }) => metadata.labels?.[topologyKey] === domain).map(({ metadata }) => metadata.name),
  );
  return running.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace &&
      names.has(spec.nodeName ?? '') &&
      selects(selector, metadata.labels),
  ).length;
}
