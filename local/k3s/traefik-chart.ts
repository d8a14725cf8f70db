/** K3s' packaged Traefik chart, as far as its values matter to traffic. */
import { type Chart, ChartError, definitionOf } from './chart';
import type { KubeObject } from './objects';
import { readTraefikValues, type TraefikValues } from './traefik-values';

export const TraefikChart: Chart = {
  // What K3s' own manifest names; the chart is part of the binary.
  matches: ({ chart }) => /^https:\/\/%\{KUBERNETES_API\}%\/static\/charts\/traefik[\w.+-]*\.tgz$/.test(chart),
  objects: ({ name, namespace, values }) => {
    const parsed = readTraefikValues(values);
    if ('faults' in parsed) {
      throw new ChartError(`values don't meet the specifications of the chart traefik: ${parsed.faults}`);
    }
    return objects(name, namespace, parsed.values);
  },
};

function objects(name: string, namespace: string, values: TraefikValues): KubeObject[] {
  const labels = { 'app.kubernetes.io/name': 'traefik', 'app.kubernetes.io/instance': `${name}-${namespace}` };
  const metadata = { name, namespace, labels };
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
  const body = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
  const workload = kind === 'Deployment' ? { ...body, replicas: values.deployment?.replicas ?? 1 } : body;
  const service = {
    type: 'LoadBalancer',
    selector: labels,
    ports: [
      { name: 'web', port: 80, targetPort: 'web' },
      { name: 'websecure', port: 443, targetPort: 'websecure' },
    ],
    ...values.service?.spec,
  };
  const result: KubeObject[] = [
    ...['TLSOption', 'ServersTransport'].map(definitionOf),
    { apiVersion: 'apps/v1', kind, metadata, spec: workload },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: service },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'traefik', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'traefik.io/ingress-controller' },
    },
  ];
  if (values.podDisruptionBudget?.enabled) {
    const { enabled: _, ...limits } = values.podDisruptionBudget;
    const budget = { ...limits, selector: { matchLabels: labels } };
    result.push({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: budget });
  }
  return result;
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
