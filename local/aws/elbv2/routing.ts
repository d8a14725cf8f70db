import type { ProxyTarget } from '../../network';
import type { Random } from '../../random';
import type { Ec2 } from '../ec2';
import { flag, type Listener, type Target, type TargetGroup } from './model';
import type { Targets } from './targets';

/**
 * Where a new connection to a listener goes; undefined when it is refused.
 *
 * A security group that lets the connection be lost, on its way in or to the target, refuses it here: nobody learns
 * more from waiting.
 */
export function route(listener: Listener, ec2: Ec2, targets: Targets, random: Random): ProxyTarget | undefined {
  const { loadBalancer, targetGroup, port } = listener;
  if (!ec2.exposed(loadBalancer.groups, port)) return undefined;
  const candidates = inZone(listener, eligible(targetGroup), random);
  if (candidates.length === 0) return undefined;
  const target = random.pick(candidates);
  const instance = ec2.instance(target.id);
  const peer = instance && ec2.peer(instance.privateIp);
  if (!peer) return undefined;
  // With the client's address preserved, the target's groups see the client, not the load balancer.
  const admitted = flag(targetGroup.attributes, 'preserve_client_ip.enabled')
    ? ec2.exposed(peer.groups, target.port)
    : targets.sources(targetGroup).some((source) => ec2.admits(source, peer, target.port));
  if (!admitted) return undefined;
  return {
    address: instance.privateIp,
    port: target.port,
    proxyProtocol: flag(targetGroup.attributes, 'proxy_protocol_v2.enabled'),
  };
}

/** The healthy targets; when there is none, all that are registered: the load balancer fails open. */
function eligible({ targets }: TargetGroup): Target[] {
  const registered = [...targets.values()].filter((target) => target.registered);
  const healthy = registered.filter(({ health, stillPicked }) => health.state === 'healthy' || stillPicked);
  return healthy.length > 0 ? healthy : registered.filter(({ health }) => health.state !== 'draining');
}

/** Without cross-zone balancing, a client's connection stays in the zone whose address DNS gave it. */
function inZone({ loadBalancer, targetGroup }: Listener, targets: Target[], random: Random): Target[] {
  const own = targetGroup.attributes.get('load_balancing.cross_zone.enabled');
  const crossZone =
    own === 'use_load_balancer_configuration'
      ? flag(loadBalancer.attributes, 'load_balancing.cross_zone.enabled')
      : own === 'true';
  if (crossZone || targets.length === 0) return targets;
  // DNS leaves out the zones that have no healthy target.
  const zone = random.pick([...new Set(targets.map((target) => target.zone))].sort());
  return targets.filter((target) => target.zone === zone);
}
