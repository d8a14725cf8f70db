/** The components K3s brings along (https://docs.k3s.io/installation/packaged-components), as the objects they are. */
import type { Cluster } from './cluster';
import type { KubeObject } from './objects';

const SYSTEM = 'kube-system';

/** Creates what is missing. Called by every server when its API comes up. */
export function installPackaged(cluster: Cluster, disable: readonly string[]): void {
  const create = (object: KubeObject) => {
    const { name, namespace } = object.metadata;
    if (!cluster.api.get(object.kind, name, namespace)) cluster.api.create(object);
  };
  for (const name of ['default', SYSTEM, 'kube-public', 'kube-node-lease']) {
    create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  create(service('kubernetes', 'default', [{ name: 'https', port: 443, targetPort: 6443 }], undefined, '10.43.0.1'));
  if (!disable.includes('coredns')) {
    create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'coredns', namespace: SYSTEM },
      data: { Corefile: '.:53 {\n    errors\n    health\n    ready\n}\n', NodeHosts: '' },
    });
    create(deployment('coredns', 'rancher/mirrored-coredns-coredns', { 'k8s-app': 'kube-dns' }, DNS));
    create(service('kube-dns', SYSTEM, [{ name: 'dns-tcp', port: 53 }], { 'k8s-app': 'kube-dns' }, '10.43.0.10'));
  }
  if (!disable.includes('local-storage')) {
    create(deployment('local-path-provisioner', 'rancher/local-path-provisioner', { app: 'local-path-provisioner' }));
    create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'rancher.io/local-path',
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
  }
  if (!disable.includes('metrics-server')) {
    create(deployment('metrics-server', 'rancher/mirrored-metrics-server', { 'k8s-app': 'metrics-server' }));
    create(service('metrics-server', SYSTEM, [{ name: 'https', port: 443 }], { 'k8s-app': 'metrics-server' }));
  }
  if (!disable.includes('traefik')) {
    create({
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChart',
      metadata: { name: 'traefik', namespace: SYSTEM },
      spec: { chart: 'https://%{KUBERNETES_API}%/static/charts/traefik.tgz' },
    });
  }
}

/** How K3s runs CoreDNS (k3s manifests/coredns.yaml): one replica unless somebody scales it, and then one per node. */
const DNS = {
  priorityClassName: 'system-cluster-critical',
  topologySpreadConstraints: [
    spread('topology.kubernetes.io/zone', 'ScheduleAnyway'),
    spread('kubernetes.io/hostname', 'DoNotSchedule'),
  ],
};

function spread(topologyKey: string, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') {
  const labelSelector = { matchLabels: { 'k8s-app': 'kube-dns' } };
  return { maxSkew: 1, topologyKey, whenUnsatisfiable, labelSelector };
}

/** Without `replicas`, as in K3s' manifests: a number that somebody sets survives K3s' next start (k3s#1606). */
function deployment(
  name: string,
  image: string,
  labels: Record<string, string>,
  podSpec: Record<string, unknown> = {},
): KubeObject {
  const tolerations = [
    { key: 'CriticalAddonsOnly', operator: 'Exists' },
    { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: SYSTEM, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...podSpec, tolerations, containers: [{ name, image }] } },
    },
  };
}

function service(
  name: string,
  namespace: string,
  ports: Record<string, unknown>[],
  selector?: Record<string, string>,
  /** The two whose addresses are fixed within `service-cidr`. */
  clusterIP?: string,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports, ...(selector && { selector }), ...(clusterIP && { clusterIP }) },
  };
}
