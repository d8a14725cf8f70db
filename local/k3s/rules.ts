/** What every node learns from the API to route traffic: services with their ready endpoints, routes, Traefik's set-up. */
import type { Certificate } from '../network';
import type { Api } from './api';
import type { Cluster } from './cluster';
import { type NetworkPolicies, networkPolicies } from './network-policy';
import { condition, type Ingress, type Node, type Pod, type Service } from './objects';
import { readTls } from './tls-secret';
import { type TraefikSettings, traefikSettings } from './traefik-values';

/** The programs that the model's containers can be. */
export type Program = 'echo' | 'web' | 'traefik' | 'solver';

export interface Endpoint {
  /** Of the pod. */
  uid: string;
  /** Of its machine. */
  address: string;
  pod: Pod;
  program: Program | undefined;
}

export interface Rules {
  services: { service: Service; endpoints: Endpoint[] }[];
  ingresses: Ingress[];
  traefik: TraefikSettings;
  policies: NetworkPolicies;
  /** Certificates of Ingresses by host name, which may be `*.example.org`. */
  certificates: ReadonlyMap<string, Certificate>;
  /** UIDs of ServiceLB pods, by `namespace/service`. */
  balancers: Map<string, Set<string>>;
}

export const BALANCER_SERVICE = 'svccontroller.k3s.cattle.io/svcname';
export const BALANCER_NAMESPACE = 'svccontroller.k3s.cattle.io/svcnamespace';

const cache = new WeakMap<Cluster, { revision: number; rules: Rules }>();

/** The rules as of now; the same object as long as nothing was written. */
export function rulesOf(cluster: Cluster): Rules {
  const { revision } = cluster.api;
  const cached = cache.get(cluster);
  if (cached?.revision === revision) return cached.rules;
  const rules = compute(cluster);
  cache.set(cluster, { revision, rules });
  return rules;
}

function compute({ api }: Cluster): Rules {
  const addresses = new Map<string, string>();
  for (const { metadata, status } of api.list<Node>('Node')) {
    const address = status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    if (address) addresses.set(metadata.name, address);
  }
  const pods = api.list<Pod>('Pod').filter(({ metadata }) => !metadata.deletionTimestamp);
  const endpoints = (service: Service): Endpoint[] => {
    const selector = Object.entries(service.spec.selector ?? {});
    if (selector.length === 0) return [];
    return pods.flatMap((pod) => {
      const address = addresses.get(pod.spec.nodeName ?? '');
      const { uid, labels, namespace } = pod.metadata;
      const selected = selector.every(([key, value]) => labels?.[key] === value);
      if (!address || !uid || !selected || namespace !== service.metadata.namespace) return [];
      if (condition({ status: pod.status }, 'Ready')?.status !== 'True') return [];
      return [{ uid, address, pod, program: programOf(pod) }];
    });
  };
  const balancers = new Map<string, Set<string>>();
  for (const { metadata } of pods) {
    const name = metadata.labels?.[BALANCER_SERVICE];
    if (name === undefined || metadata.uid === undefined) continue;
    const key = `${metadata.labels?.[BALANCER_NAMESPACE]}/${name}`;
    balancers.set(key, (balancers.get(key) ?? new Set()).add(metadata.uid));
  }
  return {
    services: api.list<Service>('Service').map((service) => ({ service, endpoints: endpoints(service) })),
    ingresses: api.list<Ingress>('Ingress'),
    traefik: traefikSettings(api),
    policies: networkPolicies(api),
    certificates: certificatesOf(api),
    balancers,
  };
}

function certificatesOf(api: Api): Map<string, Certificate> {
  const found = new Map<string, Certificate>();
  for (const { metadata, spec } of api.list<Ingress>('Ingress')) {
    for (const { hosts = [], secretName } of spec.tls ?? []) {
      const tls = secretName === undefined ? undefined : readTls(api.get('Secret', secretName, metadata.namespace));
      if (tls) for (const host of hosts) found.set(host.toLowerCase(), tls);
    }
  }
  return found;
}

export function programOf(pod: Pod): Program | undefined {
  for (const { image } of pod.spec.containers) {
    if (/acmesolver/.test(image)) return 'solver';
    if (/traefik/.test(image)) return 'traefik';
    if (/nginx/.test(image)) return 'web';
    if (/tcpecho|socat/.test(image)) return 'echo';
  }
  return undefined;
}
