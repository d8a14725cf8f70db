/** The components K3s brings along (https://docs.k3s.io/installation/packaged-components), as the objects they are. */
import { createHash } from 'node:crypto';
import type { Cluster } from './cluster';
import { HelmChartConfig, type KubeObject } from './objects';
import { type TraefikValues, traefikValues } from './traefik-values';

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
  create(service('kubernetes', 'default', [{ name: 'https', port: 443, targetPort: 6443 }]));
  if (!disable.includes('coredns')) {
    create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'coredns', namespace: SYSTEM },
      data: { Corefile: '.:53 {\n    errors\n    health\n    ready\n}\n', NodeHosts: '' },
    });
    create(deployment('coredns', 'rancher/mirrored-coredns-coredns', { 'k8s-app': 'kube-dns' }));
    create(service('kube-dns', SYSTEM, [{ name: 'dns-tcp', port: 53 }], { 'k8s-app': 'kube-dns' }));
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

/** Which values the running release was installed with. */
const INSTALLED = 'helmcharts.helm.cattle.io/configHash';

/** The Helm controller's work on the one packaged chart that matters: installs it, and again when its values change. */
export class TraefikChart {
  private due: { hash: string; at: number } | undefined;

  constructor(private readonly cluster: Cluster) {}

  get installed(): boolean {
    return this.chart()?.metadata.annotations?.[INSTALLED] !== undefined;
  }

  reconcile(): void {
    const chart = this.chart();
    if (!chart) return;
    const { world } = this.cluster.model;
    const text = this.valuesText();
    const hash = createHash('sha256').update(text).digest('hex');
    if (chart.metadata.annotations?.[INSTALLED] === hash) return;
    // The job runs as a pod: it needs a node that is Ready.
    if (this.cluster.reporting().length === 0) return;
    if (this.due?.hash !== hash) this.due = { hash, at: world.clock.now() + world.latency.sample('k3s.helm-install') };
    if (world.clock.now() < this.due.at) return;
    try {
      this.install(traefikValues(text));
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'EtcdError') throw error;
      world.log('the Traefik chart cannot be installed', { error: error.message });
    }
    const annotations = { ...chart.metadata.annotations, [INSTALLED]: hash };
    this.cluster.api.update({ ...chart, metadata: { ...chart.metadata, annotations } });
  }

  private chart(): KubeObject | undefined {
    return this.cluster.api.get('HelmChart', 'traefik', SYSTEM);
  }

  private valuesText(): string {
    const config = this.cluster.api.get('HelmChartConfig', 'traefik', SYSTEM);
    return config ? HelmChartConfig.parse(config).spec.valuesContent : '';
  }

  private install(values: TraefikValues): void {
    const { api } = this.cluster;
    const labels = { 'app.kubernetes.io/name': 'traefik', 'app.kubernetes.io/instance': `traefik-${SYSTEM}` };
    const spec = {
      containers: [
        {
          name: 'traefik',
          image: 'rancher/mirrored-library-traefik',
          ports: [
            { name: 'web', containerPort: 8000 },
            { name: 'websecure', containerPort: 8443 },
          ],
        },
      ],
      ...defined({
        topologySpreadConstraints: values.topologySpreadConstraints,
        affinity: values.affinity,
        nodeSelector: values.nodeSelector,
      }),
      tolerations: [
        ...(values.tolerations ?? []),
        { key: 'CriticalAddonsOnly', operator: 'Exists' },
        { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
      ],
    };
    const kind = values.deployment?.kind ?? 'Deployment';
    const other = kind === 'Deployment' ? 'DaemonSet' : 'Deployment';
    const stale = api.get(other, 'traefik', SYSTEM);
    if (stale) api.forget(stale);
    const metadata = { name: 'traefik', namespace: SYSTEM, labels };
    const body = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
    const replicas = values.deployment?.replicas ?? 1;
    const workload = kind === 'Deployment' ? { ...body, replicas } : body;
    const existing = api.get(kind, 'traefik', SYSTEM);
    // Replaced, not merged: a value that is no longer given goes.
    if (existing) api.update({ ...existing, spec: workload });
    else api.create({ apiVersion: 'apps/v1', kind, metadata, spec: workload });
    api.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'LoadBalancer',
        selector: labels,
        ports: [
          { name: 'web', port: 80, targetPort: 'web' },
          { name: 'websecure', port: 443, targetPort: 'websecure' },
        ],
        ...values.service?.spec,
      },
    });
    api.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'traefik', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'traefik.io/ingress-controller' },
    });
    if (values.podDisruptionBudget?.enabled) {
      const { enabled: _, ...limits } = values.podDisruptionBudget;
      const budget = { ...limits, selector: { matchLabels: labels } };
      api.apply({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: budget });
    }
  }
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function deployment(name: string, image: string, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: SYSTEM, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name, image }] } },
    },
  };
}

function service(
  name: string,
  namespace: string,
  ports: Record<string, unknown>[],
  selector?: Record<string, string>,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports, ...(selector && { selector }) },
  };
}
