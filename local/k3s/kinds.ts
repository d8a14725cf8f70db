/** The resource types the model's API server knows: the ones K3s serves that this project meets, no others. */
import type { z } from 'zod';
import { DaemonSet, Deployment, HelmChartConfig, Ingress, KubeObject, Node, Pod, Service } from './objects';

export interface Kind {
  kind: string;
  /** `v1` or `group/version`. */
  apiVersion: string;
  plural: string;
  short: readonly string[];
  namespaced: boolean;
  schema: z.ZodType<KubeObject>;
  /** Not there from the start: K3s' Helm controller and the Traefik chart install these definitions later. */
  installed?: 'traefik';
}

const define = (
  kind: string,
  apiVersion: string,
  plural: string,
  options: { short?: string[]; cluster?: true; schema?: z.ZodType<KubeObject>; installed?: 'traefik' } = {},
): Kind => ({
  kind,
  apiVersion,
  plural,
  short: options.short ?? [],
  namespaced: !options.cluster,
  schema: options.schema ?? KubeObject,
  installed: options.installed,
});

const KINDS: readonly Kind[] = [
  define('Node', 'v1', 'nodes', { short: ['no'], cluster: true, schema: Node }),
  define('Namespace', 'v1', 'namespaces', { short: ['ns'], cluster: true }),
  define('Pod', 'v1', 'pods', { short: ['po'], schema: Pod }),
  define('Service', 'v1', 'services', { short: ['svc'], schema: Service }),
  define('ConfigMap', 'v1', 'configmaps', { short: ['cm'] }),
  define('Secret', 'v1', 'secrets'),
  define('ServiceAccount', 'v1', 'serviceaccounts', { short: ['sa'] }),
  define('LimitRange', 'v1', 'limitranges', { short: ['limits'] }),
  define('ResourceQuota', 'v1', 'resourcequotas', { short: ['quota'] }),
  define('Deployment', 'apps/v1', 'deployments', { short: ['deploy'], schema: Deployment }),
  define('DaemonSet', 'apps/v1', 'daemonsets', { short: ['ds'], schema: DaemonSet }),
  define('PodDisruptionBudget', 'policy/v1', 'poddisruptionbudgets', { short: ['pdb'] }),
  define('Ingress', 'networking.k8s.io/v1', 'ingresses', { short: ['ing'], schema: Ingress }),
  define('IngressClass', 'networking.k8s.io/v1', 'ingressclasses', { cluster: true }),
  define('NetworkPolicy', 'networking.k8s.io/v1', 'networkpolicies', { short: ['netpol'] }),
  define('PriorityClass', 'scheduling.k8s.io/v1', 'priorityclasses', { short: ['pc'], cluster: true }),
  define('StorageClass', 'storage.k8s.io/v1', 'storageclasses', { short: ['sc'], cluster: true }),
  define('ClusterRole', 'rbac.authorization.k8s.io/v1', 'clusterroles', { cluster: true }),
  define('ClusterRoleBinding', 'rbac.authorization.k8s.io/v1', 'clusterrolebindings', { cluster: true }),
  define('Role', 'rbac.authorization.k8s.io/v1', 'roles'),
  define('RoleBinding', 'rbac.authorization.k8s.io/v1', 'rolebindings'),
  define('HelmChart', 'helm.cattle.io/v1', 'helmcharts'),
  define('HelmChartConfig', 'helm.cattle.io/v1', 'helmchartconfigs', { schema: HelmChartConfig }),
  define('TLSOption', 'traefik.io/v1alpha1', 'tlsoptions', { installed: 'traefik' }),
  define('ServersTransport', 'traefik.io/v1alpha1', 'serverstransports', { installed: 'traefik' }),
];

export function kindOf(apiVersion: string, kind: string): Kind | undefined {
  return KINDS.find((candidate) => candidate.kind === kind && candidate.apiVersion === apiVersion);
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

/** `deployments.apps`, as the API server names it. */
export function resource(kind: Kind): string {
  return group(kind) ? `${kind.plural}.${group(kind)}` : kind.plural;
}
