import { z } from 'zod';
import type { Ec2, Instance } from '../ec2';
import { zoneId } from '../ec2/vpc';
import { INTEGER } from '../scalars';
import { AwsError, type Operation, operation } from '../service';
import { HEALTH, type Listener, type LoadBalancer, type TargetGroup } from './model';
import type { Targets } from './targets';

export interface Inventory {
  loadBalancers: ReadonlyMap<string, LoadBalancer>;
  listeners: ReadonlyMap<string, Listener>;
  targetGroups: ReadonlyMap<string, TargetGroup>;
}

const NAMES = z.array(z.string()).min(1).optional();
const PAGE = { Marker: z.string().optional(), PageSize: INTEGER.pipe(z.int().min(1).max(400)).optional() };
const PORT = INTEGER.pipe(z.int().min(1).max(65535));
const TARGETS = z.array(
  z.strictObject({ Id: z.string(), Port: PORT.optional(), AvailabilityZone: z.string().optional() }),
);

/**
 * @throws AwsError TargetGroupNotFound
 */
export function targetGroup(inventory: Inventory, arn: string): TargetGroup {
  const found = inventory.targetGroups.get(arn);
  if (!found) throw new AwsError('TargetGroupNotFound', `Target groups '${arn}' not found`);
  return found;
}

/**
 * @throws AwsError LoadBalancerNotFound
 */
export function loadBalancer(inventory: Inventory, arn: string): LoadBalancer {
  const found = inventory.loadBalancers.get(arn);
  if (!found) throw new AwsError('LoadBalancerNotFound', `Load balancers '${arn}' not found`);
  return found;
}

/** The marker is the ARN of the last item of the page before. */
function page<T extends { arn: string }>(items: T[], { Marker, PageSize }: { Marker?: string; PageSize?: number }) {
  const from = Marker === undefined ? 0 : items.findIndex(({ arn }) => arn === Marker) + 1;
  if (Marker !== undefined && from === 0) throw new AwsError('ValidationError', `Marker '${Marker}' is not valid`);
  const slice = items.slice(from, PageSize === undefined ? undefined : from + PageSize);
  return { items: slice, NextMarker: from + slice.length < items.length ? slice.at(-1)?.arn : undefined };
}

function named<T extends { arn: string; name: string }>(
  items: Iterable<T>,
  arns: string[] | undefined,
  names: string[] | undefined,
  missing: (which: string) => AwsError,
): T[] {
  const all = [...items];
  for (const arn of arns ?? []) if (!all.some((item) => item.arn === arn)) throw missing(arn);
  for (const name of names ?? []) if (!all.some((item) => item.name === name)) throw missing(name);
  return all.filter((item) => (arns?.includes(item.arn) ?? true) && (names?.includes(item.name) ?? true));
}

const attributeList = (attributes: ReadonlyMap<string, string>) => ({
  Attributes: [...attributes].map(([Key, Value]) => ({ Key, Value })),
});

export function operations(inventory: Inventory, ec2: Ec2, targets: Targets): Record<string, Operation> {
  /** A group's targets as a request names them; the group's own port unless it names another. */
  const resolve = (group: TargetGroup, asked: z.infer<typeof TARGETS>) =>
    asked.map(({ Id, Port }) => ({ id: Id, port: Port ?? group.port }));

  const running = (group: TargetGroup, id: string): Instance => {
    const instance = ec2.instance(id);
    if (!instance) {
      throw new AwsError('InvalidTarget', `The following targets are not valid instances: '${id}'`);
    }
    if (instance.state !== 'running') {
      throw new AwsError(
        'InvalidTarget',
        `The following targets are not in a running state and cannot be registered: '${id}'`,
      );
    }
    if (instance.vpcId !== group.vpcId) {
      throw new AwsError(
        'InvalidTarget',
        `The following targets are not in the target group VPC '${group.vpcId}': '${id}'`,
      );
    }
    return instance;
  };

  return {
    DescribeLoadBalancers: operation({
      input: z.strictObject({ ...PAGE, LoadBalancerArns: NAMES, Names: NAMES }),
      handle: (input) => {
        const found = named(
          inventory.loadBalancers.values(),
          input.LoadBalancerArns,
          input.Names,
          (which) => new AwsError('LoadBalancerNotFound', `Load balancers '[${which}]' not found`),
        );
        const { items, NextMarker } = page(found, input);
        return { LoadBalancers: items.map(describeLoadBalancer), NextMarker };
      },
    }),
    DescribeTargetGroups: operation({
      input: z.strictObject({ ...PAGE, LoadBalancerArn: z.string().optional(), Names: NAMES, TargetGroupArns: NAMES }),
      handle: (input) => {
        const found = named(
          inventory.targetGroups.values(),
          input.TargetGroupArns,
          input.Names,
          () => new AwsError('TargetGroupNotFound', 'One or more target groups not found'),
        );
        const of = input.LoadBalancerArn && loadBalancer(inventory, input.LoadBalancerArn);
        const mine = found.filter(({ listeners }) => !of || listeners.some((listener) => listener.loadBalancer === of));
        const { items, NextMarker } = page(mine, input);
        return { TargetGroups: items.map(describeTargetGroup), NextMarker };
      },
    }),
    DescribeListeners: operation({
      input: z.strictObject({ ...PAGE, ListenerArns: NAMES, LoadBalancerArn: z.string().optional() }),
      handle: (input) => {
        const of = input.LoadBalancerArn && loadBalancer(inventory, input.LoadBalancerArn);
        if (!of && !input.ListenerArns) {
          throw new AwsError('ValidationError', 'You must specify either listener ARNs or a load balancer ARN');
        }
        for (const arn of input.ListenerArns ?? []) {
          if (!inventory.listeners.has(arn)) throw new AwsError('ListenerNotFound', `Listeners '${arn}' not found`);
        }
        const found = [...inventory.listeners.values()].filter(
          (listener) => (!of || listener.loadBalancer === of) && (input.ListenerArns?.includes(listener.arn) ?? true),
        );
        const { items, NextMarker } = page(found, input);
        return { Listeners: items.map(describeListener), NextMarker };
      },
    }),
    DescribeTargetHealth: operation({
      input: z.strictObject({ TargetGroupArn: z.string(), Targets: TARGETS.optional() }),
      handle: (input) => {
        const group = targetGroup(inventory, input.TargetGroupArn);
        const asked = input.Targets ? resolve(group, input.Targets) : [...group.targets.values()];
        return {
          TargetHealthDescriptions: asked.map(({ id, port }) => {
            const target = group.targets.get(`${id}:${port}`);
            const { state, reason, description } = target?.health ?? HEALTH.notRegistered;
            return {
              Target: { Id: id, Port: port },
              HealthCheckPort: String(group.check.port === 'traffic-port' ? port : group.check.port),
              TargetHealth: { State: state, Reason: reason, Description: description },
            };
          }),
        };
      },
    }),
    RegisterTargets: operation({
      input: z.strictObject({ TargetGroupArn: z.string(), Targets: TARGETS.min(1) }),
      needs: ({ TargetGroupArn }) => [{ action: 'elasticloadbalancing:RegisterTargets', resource: TargetGroupArn }],
      handle: (input) => {
        const group = targetGroup(inventory, input.TargetGroupArn);
        const resolved = resolve(group, input.Targets).map(({ id, port }) => ({ instance: running(group, id), port }));
        for (const { instance, port } of resolved) targets.register(group, instance, port);
        return {};
      },
    }),
    DeregisterTargets: operation({
      input: z.strictObject({ TargetGroupArn: z.string(), Targets: TARGETS.min(1) }),
      needs: ({ TargetGroupArn }) => [{ action: 'elasticloadbalancing:DeregisterTargets', resource: TargetGroupArn }],
      handle: (input) => {
        const group = targetGroup(inventory, input.TargetGroupArn);
        for (const { Id, Port } of input.Targets) {
          // Without a port, every registration of the instance ends.
          const ports = Port
            ? [Port]
            : [...group.targets.values()].filter(({ id }) => id === Id).map(({ port }) => port);
          for (const port of ports) targets.deregister(group, Id, port);
        }
        return {};
      },
    }),
    DescribeTargetGroupAttributes: operation({
      input: z.strictObject({ TargetGroupArn: z.string() }),
      handle: (input) => attributeList(targetGroup(inventory, input.TargetGroupArn).attributes),
    }),
    DescribeLoadBalancerAttributes: operation({
      input: z.strictObject({ LoadBalancerArn: z.string() }),
      handle: (input) => attributeList(loadBalancer(inventory, input.LoadBalancerArn).attributes),
    }),
    DescribeTags: operation({
      input: z.strictObject({ ResourceArns: z.array(z.string()).min(1).max(20) }),
      handle: ({ ResourceArns }) => ({
        TagDescriptions: ResourceArns.map((arn) => {
          const { tags } = arn.includes(':targetgroup/') ? targetGroup(inventory, arn) : loadBalancer(inventory, arn);
          return { ResourceArn: arn, Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) };
        }),
      }),
    }),
  };
}

const describeLoadBalancer = (balancer: LoadBalancer) => ({
  LoadBalancerArn: balancer.arn,
  DNSName: balancer.dnsName,
  CanonicalHostedZoneId: CANONICAL_HOSTED_ZONE_ID,
  CreatedTime: new Date(balancer.createdAt),
  LoadBalancerName: balancer.name,
  Scheme: balancer.scheme,
  VpcId: balancer.vpcId,
  State: { Code: 'active' },
  Type: 'network',
  AvailabilityZones: balancer.subnets.map(({ zone, subnetId }) => ({
    ZoneName: zone,
    ZoneId: zoneId(zone),
    SubnetId: subnetId,
  })),
  SecurityGroups: balancer.groups,
  IpAddressType: 'ipv4',
});

/** Of network load balancers in eu-west-3. https://docs.aws.amazon.com/general/latest/gr/elb.html */
export const CANONICAL_HOSTED_ZONE_ID = 'Z1CMS0P5QUZ6D5';

const describeTargetGroup = (group: TargetGroup) => ({
  TargetGroupArn: group.arn,
  TargetGroupName: group.name,
  Protocol: 'TCP',
  Port: group.port,
  VpcId: group.vpcId,
  HealthCheckProtocol: group.check.protocol,
  HealthCheckPort: String(group.check.port),
  HealthCheckEnabled: true,
  HealthCheckIntervalSeconds: group.check.intervalSeconds,
  HealthCheckTimeoutSeconds: group.check.timeoutSeconds,
  HealthyThresholdCount: group.check.healthyThreshold,
  UnhealthyThresholdCount: group.check.unhealthyThreshold,
  HealthCheckPath: group.check.protocol === 'TCP' ? undefined : group.check.path,
  Matcher: group.check.protocol === 'TCP' ? undefined : { HttpCode: group.check.matcher },
  LoadBalancerArns: [...new Set(group.listeners.map((listener) => listener.loadBalancer.arn))],
  TargetType: 'instance',
  IpAddressType: 'ipv4',
});

const describeListener = (listener: Listener) => ({
  ListenerArn: listener.arn,
  LoadBalancerArn: listener.loadBalancer.arn,
  Port: listener.port,
  Protocol: 'TCP',
  DefaultActions: [
    {
      Type: 'forward',
      TargetGroupArn: listener.targetGroup.arn,
      ForwardConfig: { TargetGroups: [{ TargetGroupArn: listener.targetGroup.arn }] },
    },
  ],
});
