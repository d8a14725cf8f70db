/** The cert-manager chart (https://artifacthub.io/packages/helm/cert-manager/cert-manager), as the objects it installs. */
import { z } from 'zod';
import { type Chart, ChartError, definitionOf } from '../chart';
import { type KubeObject, PodSpec } from '../objects';

const DEFINITIONS = ['Certificate', 'Issuer', 'ClusterIssuer', 'Order', 'Challenge'];

const Placement = {
  replicaCount: z.int().nonnegative().optional(),
  podDisruptionBudget: z.looseObject({ enabled: z.boolean().optional() }).optional(),
  topologySpreadConstraints: PodSpec.shape.topologySpreadConstraints,
  affinity: PodSpec.shape.affinity,
  tolerations: PodSpec.shape.tolerations,
  nodeSelector: PodSpec.shape.nodeSelector,
};
type Placement = z.infer<z.ZodObject<typeof Placement>>;

const Values = z.looseObject({
  ...Placement,
  crds: z.looseObject({ enabled: z.boolean().optional(), keep: z.boolean().optional() }).optional(),
  installCRDs: z.boolean().optional(),
  webhook: z.looseObject(Placement).optional(),
  cainjector: z.looseObject({ ...Placement, enabled: z.boolean().optional() }).optional(),
});

const REPOSITORY = 'https://charts.jetstack.io';
const OCI = 'oci://quay.io/jetstack/charts/cert-manager';

export const CertManagerChart: Chart & { version: RegExp } = {
  version: /^v?\d+\.\d+\.\d+$/,
  matches: ({ chart, repo, version }) =>
    // Without a version Helm would take whatever is newest on that day.
    CertManagerChart.version.test(version ?? '') &&
    (chart === OCI || (chart === 'cert-manager' && repo?.replace(/\/$/, '') === REPOSITORY)),
  objects: ({ name, namespace, values }) => {
    const parsed = Values.safeParse(values);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ');
      throw new ChartError(
        `values don't meet the specifications of the schema(s) of the chart cert-manager: ${faults}`,
      );
    }
    const { crds, installCRDs, webhook = {}, cainjector = {}, ...controller } = parsed.data;
    return [
      ...(crds?.enabled || installCRDs ? DEFINITIONS.map(definitionOf) : []),
      ...component(name, namespace, 'controller', controller),
      ...component(name, namespace, 'webhook', webhook),
      ...(cainjector.enabled === false ? [] : component(name, namespace, 'cainjector', cainjector)),
      service(namespace, 'webhook', 443, 'https'),
    ];
  },
};

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};

type Component = 'controller' | 'webhook' | 'cainjector';

/** The controller goes without a suffix, and its app is called like the chart. */
const suffixed = (component: Component) => (component === 'controller' ? 'cert-manager' : `cert-manager-${component}`);

function labelsOf(instance: string, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': component === 'controller' ? 'cert-manager' : component,
    'app.kubernetes.io/instance': instance,
    'app.kubernetes.io/component': component,
  };
}

function component(instance: string, namespace: string, which: Component, values: Placement): KubeObject[] {
  const labels = labelsOf(instance, which);
  const metadata = { name: suffixed(which), namespace, labels };
  const {
    replicaCount = 1,
    podDisruptionBudget,
    topologySpreadConstraints,
    affinity,
    tolerations,
    nodeSelector,
  } = values;
  const given = Object.entries({ topologySpreadConstraints, affinity, tolerations, nodeSelector });
  const ports = which === 'webhook' ? [{ name: 'https', containerPort: 10250 }] : [];
  const spec = {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: `cert-manager-${which}`,
        image: `quay.io/jetstack/cert-manager-${which}`,
        ports,
        securityContext: RESTRICTED,
      },
    ],
  };
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: replicaCount, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  if (!podDisruptionBudget?.enabled) return [deployment];
  const { enabled: _, ...limits } = podDisruptionBudget;
  // The chart's own default (templates/poddisruptionbudget.yaml).
  const budget = Object.keys(limits).length > 0 ? limits : { minAvailable: 1 };
  const disruption: KubeObject = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata,
    spec: { ...budget, selector: { matchLabels: labels } },
  };
  return [deployment, disruption];
}

function service(namespace: string, which: Component, port: number, target: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: suffixed(which), namespace },
    spec: {
      selector: { 'app.kubernetes.io/component': which, 'app.kubernetes.io/name': which },
      ports: [{ name: target, port, targetPort: target }],
    },
  };
}
