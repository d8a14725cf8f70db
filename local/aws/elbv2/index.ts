import type { Network } from '../../network';
import type { Ec2 } from '../ec2';
import type { Operation, Protocol, Provision, Service, World } from '../service';
import type { Health, TargetGroup } from './model';
import { operations } from './operations';
import { resources, type Store } from './resources';
import { Targets } from './targets';

export interface Elbv2Dependencies {
  ec2: Ec2;
  network: Network;
}

/** What selects targets of a metric: its dimensions, by the full names that CloudWatch uses. */
export interface HostCountDimensions {
  /** `targetgroup/<name>/<id>` */
  TargetGroup: string;
  /** `net/<name>/<id>` */
  LoadBalancer: string;
  AvailabilityZone?: string;
}

/** A target group as people look at it. */
export interface TargetGroupSummary {
  name: string;
  arn: string;
  port: number;
  healthy: number;
  unhealthy: number;
  targets: ({ id: string; port: number } & Health)[];
}

/** The embedded Elastic Load Balancing: network load balancers with TCP listeners and instance targets. */
export class Elbv2 implements Service {
  readonly name = 'elasticloadbalancing';
  readonly protocol: Protocol = 'query';
  readonly version = '2015-12-01';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly store: Store = { loadBalancers: new Map(), listeners: new Map(), targetGroups: new Map() };
  private readonly targets: Targets;

  constructor(world: World, { ec2, network }: Elbv2Dependencies) {
    this.targets = new Targets(world, ec2, network, () => this.store.targetGroups.values());
    this.operations = operations(this.store, ec2, this.targets);
    this.resources = resources(world, ec2, network, this.store, this.targets);
  }

  /**
   * HealthyHostCount and UnHealthyHostCount. Undefined without registered targets: AWS then reports no data point.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
   */
  healthyHostCount(dimensions: HostCountDimensions): { healthy: number; unhealthy: number } | undefined {
    for (const group of this.store.targetGroups.values()) {
      const ours = group.listeners.some(({ loadBalancer }) => loadBalancer.fullName === dimensions.LoadBalancer);
      if (group.fullName !== dimensions.TargetGroup || !ours || group.targets.size === 0) continue;
      return count(group, dimensions.AvailabilityZone);
    }
    return undefined;
  }

  /** The metrics of every target group that is in use, with their dimensions. */
  hostCounts(): { dimensions: HostCountDimensions; healthy: number; unhealthy: number }[] {
    return [...this.store.targetGroups.values()].flatMap(({ fullName, listeners }) => {
      const [listener] = listeners;
      if (!listener) return [];
      const dimensions = { TargetGroup: fullName, LoadBalancer: listener.loadBalancer.fullName };
      const counts = this.healthyHostCount(dimensions);
      return counts ? [{ dimensions, ...counts }] : [];
    });
  }

  /** Every target group with its targets, in the order of creation. */
  targetGroups(): TargetGroupSummary[] {
    return [...this.store.targetGroups.values()].map((group) => ({
      name: group.name,
      arn: group.arn,
      port: group.port,
      ...count(group),
      targets: [...group.targets.values()].map(({ id, port, health }) => ({ id, port, ...health })),
    }));
  }

  /** Where people reach each listener, by its port. */
  urls(): Map<number, string> {
    const urls = new Map<number, string>();
    for (const { port, balancer } of this.store.listeners.values()) if (balancer) urls.set(port, balancer.url);
    return urls;
  }

  async close(): Promise<void> {
    this.targets.close();
    await Promise.all([...this.store.listeners.values()].map(({ balancer }) => balancer?.close()));
  }
}

function count(group: TargetGroup, zone?: string): { healthy: number; unhealthy: number } {
  const counted = [...group.targets.values()].filter((target) => zone === undefined || target.zone === zone);
  const inState = (state: Health['state']) => counted.filter(({ health }) => health.state === state).length;
  return { healthy: inState('healthy'), unhealthy: inState('unhealthy') };
}
