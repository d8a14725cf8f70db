/** The resource types the model's API server knows: the ones K3s serves that this project meets, no others. */
import type { z } from 'zod';
import { ACME, CERT_MANAGER, Certificate, Challenge, Issuer, Order } from './cert-manager/objects';
import {
  DaemonSet,
  Deployment,
  HelmChart,
  HelmChartConfig,
  Ingress,
  KubeObject,
  Node,
  Pod,
  ReplicaSet,
  Service,
} from './objects';
import { HorizontalPodAutoscaler, NetworkPolicy, PodDisruptionBudget } from './policies';

export interface Kind {
  kind: string;
  /** `v1` or `group/version`. */
  apiVersion: string;
  plural: string;
  short: readonly string[];
  namespaced: boolean;
  schema: z.ZodType<KubeObject>;
  /** Known only once its CustomResourceDefinition is there: a chart brings it. */
  custom: boolean;
  /** Part of `kubectl get all`. */
  everyday: boolean;
}

interface Options {
  short?: string[];
  cluster?: true;
  schema?: z.ZodType<KubeObject>;
  custom?: true;
  everyday?: true;
}

const define = (kind: string, apiVersion: string, plural: string, options: Options = {}): Kind => ({
  kind,
  apiVersion,
  plural,
  short: options.short ?? [],
  namespaced: !options.cluster,
  schema: options.schema ?? KubeObject,
  custom: options.custom ?? false,
  everyday: options.everyday ?? false,
});

const TRAEFIK = 'traefik.io/v1alpha1';

const KINDS: readonly Kind[] = [
  define('Node', 'v1', 'nodes', { short: ['no'], cluster: true, schema: Node }),
  define('Namespace', 'v1', 'namespaces', { short: ['ns'], cluster: true }),
  define('Pod', 'v1', 'pods', { short: ['po'], schema: Pod, everyday: true }),
  define('Service', 'v1', 'services', { short: ['svc'], schema: Service, everyday: true }),
  define('ConfigMap', 'v1', 'configmaps', { short: ['cm'] }),
  define('Secret', 'v1', 'secrets'),
  define('ServiceAccount', 'v1', 'serviceaccounts', { short: ['sa'] }),
  define('Event', 'v1', 'events', { short: ['ev'] }),
  define('Deployment', 'apps/v1', 'deployments', { short: ['deploy'], schema: Deployment, everyday: true }),
  define('DaemonSet', 'apps/v1', 'daemonsets', { short: ['ds'], schema: DaemonSet, everyday: true }),
  define('ReplicaSet', 'apps/v1', 'replicasets', { short: ['rs'], schema: ReplicaSet, everyday: true }),
  define('HorizontalPodAutoscaler', 'autoscaling/v2', 'horizontalpodautoscalers', {
    short: ['hpa'],
    schema: HorizontalPodAutoscaler,
    everyday: true,
  }),
  define('PodDisruptionBudget', 'policy/v1', 'poddisruptionbudgets', { short: ['pdb'], schema: PodDisruptionBudget }),
  define('Ingress', 'networking.k8s.io/v1', 'ingresses', { short: ['ing'], schema: Ingress }),
  define('IngressClass', 'networking.k8s.io/v1', 'ingressclasses', { cluster: true }),
  define('NetworkPolicy', 'networking.k8s.io/v1', 'networkpolicies', { short: ['netpol'], schema: NetworkPolicy }),
  define('EndpointSlice', 'discovery.k8s.io/v1', 'endpointslices'),
  define('Lease', 'coordination.k8s.io/v1', 'leases'),
  define('PriorityClass', 'scheduling.k8s.io/v1', 'priorityclasses', { short: ['pc'], cluster: true }),
  define('StorageClass', 'storage.k8s.io/v1', 'storageclasses', { short: ['sc'], cluster: true }),
  define('ClusterRole', 'rbac.authorization.k8s.io/v1', 'clusterroles', { cluster: true }),
  define('ClusterRoleBinding', 'rbac.authorization.k8s.io/v1', 'clusterrolebindings', { cluster: true }),
  define('Role', 'rbac.authorization.k8s.io/v1', 'roles'),
  define('RoleBinding', 'rbac.authorization.k8s.io/v1', 'rolebindings'),
  define('CustomResourceDefinition', 'apiextensions.k8s.io/v1', 'customresourcedefinitions', {
    short: ['crd', 'crds'],
    cluster: true,
  }),
  define('HelmChart', 'helm.cattle.io/v1', 'helmcharts', { schema: HelmChart }),
  define('HelmChartConfig', 'helm.cattle.io/v1', 'helmchartconfigs', { schema: HelmChartConfig }),
  define('TLSOption', TRAEFIK, 'tlsoptions', { custom: true }),
  define('ServersTransport', TRAEFIK, 'serverstransports', { custom: true }),
  define('Certificate', `${CERT_MANAGER}/v1`, 'certificates', { short: ['cert'], schema: Certificate, custom: true }),
  define('Issuer', `${CERT_MANAGER}/v1`, 'issuers', { schema: Issuer, custom: true }),
  define('ClusterIssuer', `${CERT_MANAGER}/v1`, 'clusterissuers', { cluster: true, schema: Issuer, custom: true }),
  define('Order', `${ACME}/v1`, 'orders', { schema: Order, custom: true }),
  define('Challenge', `${ACME}/v1`, 'challenges', { schema: Challenge, custom: true }),
];

/** Groups in which K3s serves more kinds than the model does. Besides them, `v1`. */
const OWN_GROUPS =
  /^(apps|autoscaling|batch|policy|helm\.cattle\.io|k3s\.cattle\.io|traefik\.io|.+\.k8s\.io|.*cert-manager\.io)$/;

export function allKinds(): readonly Kind[] {
  return KINDS;
}

export function kindOf(apiVersion: string, kind: string): Kind | undefined {
  return KINDS.find((candidate) => candidate.kind === kind && candidate.apiVersion === apiVersion);
}

/** Whether a real K3s may know what the model does not. */
export function isUnmodelled(apiVersion: string): boolean {
  return !apiVersion.includes('/') ? apiVersion === 'v1' : OWN_GROUPS.test(apiVersion.split('/')[0]!);
}

export function kindNamed(kind: string): Kind {
  const found = KINDS.find((candidate) => candidate.kind === kind);
  if (!found) throw new Error(`the model of K3s has no kind ${kind}`);
  return found;
}

/** As kubectl resolves what a person types: kind, plural, singular, short name, with or without the group. */
export function kindTyped(typed: string): Kind | undefined {
  const name = typed.toLowerCase();
  return KINDS.find((candidate) => {
    const names = [candidate.plural, candidate.kind.toLowerCase(), ...candidate.short];
    return names.includes(name) || names.some((own) => `${own}.${group(candidate)}` === name);
  });
}

export function group(kind: Kind): string {
  return kind.apiVersion.includes('/') ? kind.apiVersion.split('/')[0]! : '';
}

/** `deployment.apps`, as kubectl names a resource in its messages. */
export function qualified(kind: Kind): string {
  const name = kind.kind.toLowerCase();
  return group(kind) ? `${name}.${group(kind)}` : name;
}

/** `deployments.apps`, as the API server names it; also the name of a custom kind's definition. */
export function resource(kind: Kind): string {
  return group(kind) ? `${kind.plural}.${group(kind)}` : kind.plural;
}
