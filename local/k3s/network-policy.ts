/**
 * NetworkPolicies as K3s' embedded kube-router enforces them (https://docs.k3s.io/networking/networking-services): a pod
 * that some policy selects for a direction gets only what a policy allows; the node itself always reaches its own pods,
 * so that probes pass.
 */

import type { Api } from './api';
import { type Pod, selects } from './objects';
import type { Peer, Port } from './policies';
import { NetworkPolicy } from './policies';

/** One end of a connection. */
export type End =
  /** A pod of this cluster. */
  | { pod: Pod }
  /** A machine of the VPC that is no node, such as the load balancer. */
  | 'network'
  /** Anybody else. */
  | 'internet';

export interface NetworkPolicies {
  /** Whether a connection passes: what its sender may leave for, and what its receiver lets in. */
  permits(from: End, to: End, port: number, protocol?: Port['protocol']): boolean;
}

/** The policies as of now. */
export function networkPolicies(api: Api): NetworkPolicies {
  const policies = api.list('NetworkPolicy').map((object) => NetworkPolicy.parse(object));
  const namespaces = new Map(api.list('Namespace').map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));

  const about = ({ metadata }: Pod, direction: 'Ingress' | 'Egress'): NetworkPolicy[] =>
    policies.filter(
      ({ metadata: { namespace }, spec }) =>
        namespace === metadata.namespace &&
        spec.policyTypes.includes(direction) &&
        selects(spec.podSelector, metadata.labels),
    );

  const means = (peer: Peer, end: End, home: string | undefined): boolean => {
    if (end === 'internet' || end === 'network') return peer.ipBlock !== undefined && covers(peer.ipBlock.cidr, end);
    const { namespace, labels } = end.pod.metadata;
    if (peer.ipBlock) return end.pod.status?.podIP !== undefined && contains(peer.ipBlock, end.pod.status.podIP);
    const inNamespace = peer.namespaceSelector
      ? selects(peer.namespaceSelector, namespaces.get(namespace ?? ''))
      : namespace === home;
    return inNamespace && (peer.podSelector === undefined || selects(peer.podSelector, labels));
  };

  const allowed = (
    rules: readonly { peers: readonly Peer[] | undefined; ports: readonly Port[] | undefined }[],
    other: End,
    home: string | undefined,
    receiver: End,
    port: number,
    protocol: Port['protocol'],
  ) =>
    rules.some(
      ({ peers, ports }) =>
        (!peers?.length || peers.some((peer) => means(peer, other, home))) &&
        (!ports?.length || ports.some((each) => isPort(each, receiver, port, protocol))),
    );

  return {
    permits: (from, to, port, protocol = 'TCP') => {
      if (typeof to === 'object') {
        const own = about(to.pod, 'Ingress');
        const rules = own.flatMap(({ spec }) =>
          (spec.ingress ?? []).map(({ from: peers, ports }) => ({ peers, ports })),
        );
        if (own.length > 0 && !allowed(rules, from, to.pod.metadata.namespace, to, port, protocol)) return false;
      }
      if (typeof from === 'object') {
        const own = about(from.pod, 'Egress');
        const rules = own.flatMap(({ spec }) => (spec.egress ?? []).map(({ to: peers, ports }) => ({ peers, ports })));
        if (own.length > 0 && !allowed(rules, to, from.pod.metadata.namespace, to, port, protocol)) return false;
      }
      return true;
    },
  };
}

function isPort({ protocol, port, endPort }: Port, receiver: End, actual: number, used: Port['protocol']): boolean {
  if (protocol !== used) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return actual >= port && actual <= (endPort ?? port);
  if (typeof receiver !== 'object') return false;
  return receiver.pod.spec.containers.some(({ ports }) =>
    ports?.some(({ name, containerPort }) => name === port && containerPort === actual),
  );
}

/**
 * Whether a block means somebody whose address the model does not know. Its machines have loopback addresses instead of
 * the VPC's, so any private network but the pods' and services' may be the VPC.
 */
function covers(cidr: string, end: 'network' | 'internet'): boolean {
  if (cidr === '0.0.0.0/0') return true;
  if (end === 'internet') return false;
  const own = ['10.42.0.0/16', '10.43.0.0/16'].some((block) => contains({ cidr: block }, cidr.split('/')[0]!));
  return (
    !own &&
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].some((block) => contains({ cidr: block }, cidr.split('/')[0]!))
  );
}

function contains({ cidr, except = [] }: { cidr: string; except?: string[] }, address: string): boolean {
  const [network = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const inside = Math.floor(numberOf(network) / size) === Math.floor(numberOf(address) / size);
  return inside && !except.some((hole) => contains({ cidr: hole }, address));
}

const numberOf = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** The port of a pod that a Service's target port means: a number, or the name of one of its containers' ports. */
export function targetPort(pod: Pod, port: { port: number; targetPort?: number | string }): number {
  const wanted = port.targetPort ?? port.port;
  if (typeof wanted === 'number') return wanted;
  const named = pod.spec.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === wanted);
  return named?.containerPort ?? port.port;
}
