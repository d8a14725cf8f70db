/**
 * What is known of each server, put together from EC2, load balancer, SSM and K3s. Every predicate here is positive:
 * it is true only when something said so. Unknown makes none of them true (safety rule 6).
 */
import type { ClusterNode, EtcdMember, Observation, ObservedInstance } from './observation';

/** One instance seen from every side. */
export interface Server extends ObservedInstance {
  /** Its Kubernetes Node: the node name is the instance id. Null when there is none, or nobody could say. */
  node: ClusterNode | null;
  /** Its etcd member. Null when there is none, or nobody could say. */
  member: EtcdMember | null;
}

/** Something that K3s lists and that belongs to no known instance: left behind by a machine that is gone. */
export interface Leftover {
  /** From the Node's name, else from the member's; null when the member's name tells no instance. */
  instanceId: string | null;
  /** Peer address; empty when unknown. */
  address: string;
  /** It votes: until it is removed, it counts against the majority. */
  voter: boolean;
  /** How to call it in a sentence. */
  description: string;
}

export interface Correlated {
  servers: Server[];
  leftovers: Leftover[];
}

/** Matches instances, Nodes and etcd members with each other. */
export function correlate(observation: Observation): Correlated {
  const nodes = observation.view?.nodes ?? [];
  const members = observation.view?.members ?? [];
  const owners = new Map<EtcdMember, string>();
  for (const member of members) {
    const owner = ownerOf(member, observation.instances, nodes);
    if (owner !== null) owners.set(member, owner);
  }
  const servers = observation.instances.map((instance): Server => {
    const node = nodes.find(({ name }) => name === instance.instanceId) ?? null;
    const own = members.filter((member) => owners.get(member) === instance.instanceId);
    return { ...instance, node, member: own.find(({ name }) => name === node?.member) ?? own[0] ?? null };
  });
  const known = new Set(observation.instances.map(({ instanceId }) => instanceId));
  const leftovers: Leftover[] = nodes
    .filter(({ name }) => !known.has(name))
    .map((node) => {
      const member = members.find((candidate) => owners.get(candidate) === node.name);
      return {
        instanceId: node.name,
        address: node.address ?? member?.address ?? '',
        voter: member !== undefined && !member.learner,
        description: `Node ${node.name}`,
      };
    });
  for (const member of members) {
    const instanceId = owners.get(member) ?? null;
    if (instanceId !== null && (known.has(instanceId) || nodes.some(({ name }) => name === instanceId))) continue;
    leftovers.push({
      instanceId,
      address: member.address,
      voter: !member.learner,
      description: `etcd member ${member.name}`,
    });
  }
  return { servers, leftovers };
}

/**
 * Whose member it is. The Node's annotation knows best. A machine that died between the two has no Node: K3s names a
 * member `<node name>-<8 hex digits>` (the host name in old versions), and not before its etcd has started; the peer address is the last resort, because
 * VPC addresses are used again. Of two instances that had it, the one that is gone left the member behind, if the other
 * says that it has not started K3s.
 */
function ownerOf(member: EtcdMember, instances: ObservedInstance[], nodes: ClusterNode[]): string | null {
  const annotated = nodes.find((node) => node.member === member.name);
  if (annotated) return annotated.name;
  const named = /^(i-[0-9a-f]{8,17})-[0-9a-f]{8}$/.exec(member.name)?.[1];
  if (named) return named;
  const addressed = nodes.find((node) => node.address === member.address && node.member === null);
  if (addressed) return addressed.name;
  const residents = instances.filter(({ privateIp }) => privateIp === member.address);
  const resident = residents.find((instance) => !isGone(instance) && !hasNotStartedK3s(instance));
  return (resident ?? residents.find(isGone) ?? residents[0])?.instanceId ?? null;
}

/** It will never run again: termination cannot be undone once it has begun. */
export function isGone(server: ObservedInstance): boolean {
  return server.state === 'terminated' || server.state === 'shutting-down';
}

export function isStopped(server: ObservedInstance): boolean {
  return server.state === 'stopped' || server.state === 'stopping';
}

/** It says that nobody has told it to start K3s yet: it is no part of the cluster. */
export function hasNotStartedK3s({ report }: ObservedInstance): boolean {
  return report?.k3s === 'inactive' || report?.k3s === 'preparing';
}

/** K3s has heard of it, so that leaving takes a RemoveMember. */
export function isKnownToK3s(server: Server): boolean {
  return server.node !== null || server.member !== null;
}

export function isVoter(server: Server): boolean {
  return server.member !== null && !server.member.learner;
}

export function isLearner(server: Server): boolean {
  return server.member?.learner === true;
}

/** It became a server of this cluster, whatever has happened to it since. */
export function isJoined(server: Server): boolean {
  return isVoter(server) && server.node !== null && server.node.member !== null;
}

/** Its Node is Ready and not being deleted. Seen alone this may be 40 s old: the node controller's grace period. */
export function isReady(server: Server): boolean {
  return server.node !== null && server.node.ready === 'True' && !server.node.deleting;
}

/**
 * Fresh positive evidence that this voter is healthy (safety rule 1): it has just answered for itself. When SSM has lost
 * its agent it cannot answer; then a Ready Node and a passing health check of its API, both at once, stand in.
 */
export function isProven(server: Server): boolean {
  if (server.state !== 'running' || !isJoined(server) || !isReady(server)) return false;
  if (server.report) return server.report.etcdHealthy === true && server.report.apiReady;
  return server.agent === 'lost' && server.targets.api === 'healthy';
}

/**
 * A server that does its work: Ready, a voter by the member list and by the leader's own condition. The condition alone
 * would not do, it is stale on dead nodes.
 */
export function isInService(server: Server): boolean {
  return isProven(server) && server.node?.voter === true;
}

/** One line of the workflow's output and of `explain`. */
export interface ServerSummary {
  slot: number;
  instanceId: string;
  availabilityZone: string | null;
  privateIp: string | null;
  ready: boolean;
  etcdVoter: boolean;
  /** Of its three target groups, how many send it traffic. */
  healthyTargets: number;
}

/** The servers that exist, by slot: terminated ones are history. */
export function summarise(observation: Observation): ServerSummary[] {
  return correlate(observation)
    .servers.filter((server) => !isGone(server))
    .map((server) => ({
      slot: server.slot,
      instanceId: server.instanceId,
      availabilityZone: server.availabilityZone,
      privateIp: server.privateIp,
      ready: server.state === 'running' && isReady(server),
      etcdVoter: isVoter(server),
      healthyTargets: Object.values(server.targets).filter((health) => health === 'healthy').length,
    }))
    .sort((a, b) => a.slot - b.slot || a.instanceId.localeCompare(b.instanceId));
}
