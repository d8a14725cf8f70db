/** CloudFormation's view of network load balancers, their target groups and listeners. */
import { z } from 'zod';
import type { Network } from '../../network';
import type { Ec2 } from '../ec2';
import { TAGS, tagMap } from '../ec2/schema';
import { provision } from '../properties';
import { BOOLEAN, INTEGER } from '../scalars';
import { AwsError, type Provision, type World } from '../service';
import { ATTRIBUTE_LIST, attributesOf, LOAD_BALANCER_ATTRIBUTES, TARGET_GROUP_ATTRIBUTES } from './attributes';
import type { HealthCheck, Listener, LoadBalancer, TargetGroup } from './model';
import { CANONICAL_HOSTED_ZONE_ID, loadBalancer, targetGroup } from './operations';
import { route } from './routing';
import type { Targets } from './targets';

const NAME = z
  .string()
  .regex(/^(?!internal-)(?!-)[a-zA-Z0-9-]{1,32}(?<!-)$/, 'must be up to 32 letters, digits and hyphens')
  .optional();
const PORT = INTEGER.pipe(z.int().min(1).max(65535));
const within = (least: number, most: number) => INTEGER.pipe(z.int().min(least).max(most)).optional();

const LOAD_BALANCER = z.strictObject({
  EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: z.enum(['on', 'off']).optional(),
  IpAddressType: z.literal('ipv4').optional(),
  LoadBalancerAttributes: ATTRIBUTE_LIST,
  Name: NAME,
  Scheme: z.enum(['internet-facing', 'internal']).default('internet-facing'),
  SecurityGroups: z.array(z.string()).default([]),
  Subnets: z.array(z.string()).min(1),
  Tags: TAGS,
  Type: z.literal('network'),
});

const TARGET_GROUP = z.strictObject({
  HealthCheckEnabled: BOOLEAN.pipe(z.literal(true)).optional(),
  HealthCheckIntervalSeconds: within(5, 300),
  HealthCheckPath: z.string().regex(/^\//).max(1024).optional(),
  HealthCheckPort: z.union([z.literal('traffic-port'), PORT]).default('traffic-port'),
  HealthCheckProtocol: z.enum(['TCP', 'HTTP', 'HTTPS']).default('TCP'),
  HealthCheckTimeoutSeconds: within(2, 120),
  HealthyThresholdCount: within(2, 10),
  IpAddressType: z.literal('ipv4').optional(),
  Matcher: z.strictObject({ HttpCode: z.string().regex(/^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/) }).optional(),
  Name: NAME,
  Port: PORT,
  Protocol: z.literal('TCP'),
  Tags: TAGS,
  TargetGroupAttributes: ATTRIBUTE_LIST,
  TargetType: z.literal('instance').default('instance'),
  UnhealthyThresholdCount: within(2, 10),
  VpcId: z.string(),
});

const LISTENER = z.strictObject({
  DefaultActions: z
    .array(
      z.strictObject({
        ForwardConfig: z
          .strictObject({ TargetGroups: z.array(z.strictObject({ TargetGroupArn: z.string() })).length(1) })
          .optional(),
        TargetGroupArn: z.string().optional(),
        Type: z.literal('forward'),
      }),
    )
    .length(1),
  LoadBalancerArn: z.string(),
  Port: PORT,
  Protocol: z.literal('TCP'),
});

export interface Store {
  loadBalancers: Map<string, LoadBalancer>;
  listeners: Map<string, Listener>;
  targetGroups: Map<string, TargetGroup>;
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html */
function checkOf(properties: z.infer<typeof TARGET_GROUP>): HealthCheck {
  const { HealthCheckProtocol: protocol } = properties;
  if (protocol === 'TCP' && (properties.HealthCheckPath || properties.Matcher)) {
    throw new AwsError('ValidationError', 'A TCP health check has neither a path nor a matcher');
  }
  const intervalSeconds = properties.HealthCheckIntervalSeconds ?? 30;
  const timeoutSeconds = properties.HealthCheckTimeoutSeconds ?? (protocol === 'HTTP' ? 6 : 10);
  if (timeoutSeconds > intervalSeconds) {
    throw new AwsError(
      'ValidationError',
      `Health check timeout '${timeoutSeconds}' must be smaller than or equal to interval '${intervalSeconds}'`,
    );
  }
  return {
    protocol,
    port: properties.HealthCheckPort,
    path: properties.HealthCheckPath ?? '/',
    matcher: properties.Matcher?.HttpCode ?? '200-399',
    intervalSeconds,
    timeoutSeconds,
    healthyThreshold: properties.HealthyThresholdCount ?? 5,
    unhealthyThreshold: properties.UnhealthyThresholdCount ?? 2,
  };
}

export function resources(
  world: World,
  ec2: Ec2,
  network: Network,
  store: Store,
  targets: Targets,
): Record<string, Provision> {
  const prefix = `arn:aws:elasticloadbalancing:${world.region}:${world.account}`;
  const random = world.random.fork('elasticloadbalancing');
  const unique = (items: Iterable<{ name: string }>, name: string, code: string) => {
    for (const item of items) if (item.name === name) throw new AwsError(code, `'${name}' already exists`);
    return name;
  };
  const generated = (logicalId: string) => `${logicalId.slice(0, 19)}-${random.hex(12)}`;

  return {
    'AWS::ElasticLoadBalancingV2::LoadBalancer': provision(
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
      LOAD_BALANCER,
      (properties, logicalId) => {
        const subnets = properties.Subnets.map((id) => ec2.subnet(id));
        const [{ vpcId }] = subnets as [(typeof subnets)[number]];
        const zones = new Set(subnets.map(({ zone }) => zone));
        if (zones.size < subnets.length || subnets.some((subnet) => subnet.vpcId !== vpcId)) {
          throw new AwsError(
            'InvalidConfigurationRequest',
            'A load balancer cannot be attached to multiple subnets in the same Availability Zone or in several VPCs',
          );
        }
        ec2.requireGroups(properties.SecurityGroups, vpcId);
        const name = unique(
          store.loadBalancers.values(),
          properties.Name ?? generated(logicalId),
          'DuplicateLoadBalancerName',
        );
        const fullName = `net/${name}/${random.hex(16)}`;
        const arn = `${prefix}:loadbalancer/${fullName}`;
        const internal = properties.Scheme === 'internal' ? 'internal-' : '';
        const dnsName = `${internal}${name}-${fullName.slice(-16)}.elb.${world.region}.amazonaws.com`;
        store.loadBalancers.set(arn, {
          arn,
          fullName,
          name,
          dnsName,
          scheme: properties.Scheme,
          vpcId,
          subnets,
          groups: properties.SecurityGroups,
          attributes: attributesOf(properties.LoadBalancerAttributes, LOAD_BALANCER_ATTRIBUTES),
          tags: tagMap(properties.Tags),
          createdAt: world.clock.now(),
        });
        return {
          ref: arn,
          attributes: {
            CanonicalHostedZoneID: CANONICAL_HOSTED_ZONE_ID,
            DNSName: dnsName,
            LoadBalancerArn: arn,
            LoadBalancerFullName: fullName,
            LoadBalancerName: name,
            SecurityGroups: properties.SecurityGroups,
          },
        };
      },
    ),
    'AWS::ElasticLoadBalancingV2::TargetGroup': provision(
      'AWS::ElasticLoadBalancingV2::TargetGroup',
      TARGET_GROUP,
      (properties, logicalId) => {
        ec2.vpcRange(properties.VpcId);
        const check = checkOf(properties);
        const name = unique(
          store.targetGroups.values(),
          properties.Name ?? generated(logicalId),
          'DuplicateTargetGroupName',
        );
        const fullName = `targetgroup/${name}/${random.hex(16)}`;
        const arn = `${prefix}:${fullName}`;
        store.targetGroups.set(arn, {
          arn,
          fullName,
          name,
          port: properties.Port,
          vpcId: properties.VpcId,
          check,
          attributes: attributesOf(properties.TargetGroupAttributes, TARGET_GROUP_ATTRIBUTES),
          tags: tagMap(properties.Tags),
          targets: new Map(),
          listeners: [],
        });
        return {
          ref: arn,
          attributes: {
            LoadBalancerArns: [],
            TargetGroupArn: arn,
            TargetGroupFullName: fullName,
            TargetGroupName: name,
          },
        };
      },
    ),
    'AWS::ElasticLoadBalancingV2::Listener': provision(
      'AWS::ElasticLoadBalancingV2::Listener',
      LISTENER,
      async (properties) => {
        const balancer = loadBalancer(store, properties.LoadBalancerArn);
        const [action] = properties.DefaultActions;
        const arns = [action?.TargetGroupArn, action?.ForwardConfig?.TargetGroups[0]?.TargetGroupArn];
        const [groupArn, ...others] = [...new Set(arns.filter((candidate) => candidate !== undefined))];
        if (!groupArn || others.length > 0) {
          throw new AwsError('ValidationError', 'A forward action names exactly one target group');
        }
        const group = targetGroup(store, groupArn);
        if (group.listeners.some((listener) => listener.loadBalancer !== balancer)) {
          throw new AwsError('TargetGroupAssociationLimit', `${group.name} belongs to another load balancer`);
        }
        for (const other of store.listeners.values()) {
          if (other.loadBalancer === balancer && other.port === properties.Port) {
            throw new AwsError('DuplicateListener', `A listener already exists on port ${properties.Port}`);
          }
        }
        const listener: Listener = {
          arn: `${balancer.arn.replace(':loadbalancer/', ':listener/')}/${random.hex(16)}`,
          loadBalancer: balancer,
          port: properties.Port,
          targetGroup: group,
        };
        listener.balancer = await network.balance(listener.port, () => route(listener, ec2, targets, random));
        store.listeners.set(listener.arn, listener);
        group.listeners.push(listener);
        targets.attached(group);
        return { ref: listener.arn, attributes: { ListenerArn: listener.arn } };
      },
    ),
  };
}
