import { identity, type KubernetesObject } from './object';

/** Marks what came with the delivered file: only such objects are ever deleted for having gone from it. */
export const MARK = 'k3s-ha-aws/manifests';

/** Where the cluster keeps the list of what it was given. The name is also in nodes/apply-manifests.sh. */
export const INVENTORY = { name: 'k3s-ha-aws-manifests', namespace: 'kube-system' };

/** Never deleted for having gone from the file: with them would go what other people put there. */
const KEPT = ['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim'];

/**
 * The file for the nodes: in comments, a line for each object that may be deleted one day; then a YAML document for each
 * object (JSON is YAML). The first document is the same list as a ConfigMap, so that the cluster knows what it was given
 * before it is given anything.
 */
export function deliver(objects: readonly KubernetesObject[]): string {
  const lines = objects.filter(({ kind }) => !KEPT.includes(kind)).map(identity);
  const inventory = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...INVENTORY, labels: { 'app.kubernetes.io/part-of': 'k3s-ha-aws' } },
    data: { objects: lines.join('\n') },
  };
  const marked = objects.map((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, [MARK]: 'applied' } },
  }));
  const documents = [inventory, ...marked].map((object) => `---\n${JSON.stringify(object, null, 2)}\n`);
  return [...lines.map((line) => `# object: ${line}\n`), ...documents].join('');
}
