import type { Timer } from '../../clock';
import type { Listening } from '../../network';
import type { Subnet } from '../ec2';

export interface LoadBalancer {
  arn: string;
  /** `net/<name>/<id>`: the dimension of its metrics. */
  fullName: string;
  name: string;
  dnsName: string;
  scheme: 'internet-facing' | 'internal';
  vpcId: string;
  subnets: Subnet[];
  groups: string[];
  attributes: Map<string, string>;
  tags: Map<string, string>;
  createdAt: number;
}

export interface Listener {
  arn: string;
  loadBalancer: LoadBalancer;
  port: number;
  targetGroup: TargetGroup;
  balancer?: Listening & { url: string; drop(address: string): void };
}

export interface HealthCheck {
  protocol: 'TCP' | 'HTTP' | 'HTTPS';
  port: number | 'traffic-port';
  path: string;
  /** `200-399`, `401`, `200,202`. */
  matcher: string;
  intervalSeconds: number;
  timeoutSeconds: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
}

export interface TargetGroup {
  arn: string;
  /** `targetgroup/<name>/<id>`: the dimension of its metrics. */
  fullName: string;
  name: string;
  port: number;
  vpcId: string;
  check: HealthCheck;
  attributes: Map<string, string>;
  tags: Map<string, string>;
  /** By `<instance id>:<port>`. */
  targets: Map<string, Target>;
  listeners: Listener[];
}

export interface Health {
  state: 'initial' | 'healthy' | 'unhealthy' | 'draining' | 'unused';
  reason?: string;
  description?: string;
}

export interface Target {
  id: string;
  port: number;
  zone: string;
  health: Health;
  /** The load balancer's nodes know it: checks count and traffic may flow. */
  registered: boolean;
  /** While draining: new connections still arrive, until every node of the load balancer has heard of it. */
  stillPicked: boolean;
  successes: number;
  failures: number;
  checking: boolean;
  timers: Timer[];
}

/** States with the reason and description that DescribeTargetHealth gives. */
export const HEALTH = {
  registering: {
    state: 'initial',
    reason: 'Elb.RegistrationInProgress',
    description: 'Target registration is in progress',
  },
  checking: {
    state: 'initial',
    reason: 'Elb.InitialHealthChecking',
    description: 'Initial health checks in progress',
  },
  healthy: { state: 'healthy' },
  unhealthy: { state: 'unhealthy', reason: 'Target.FailedHealthChecks', description: 'Health checks failed' },
  draining: {
    state: 'draining',
    reason: 'Target.DeregistrationInProgress',
    description: 'Target deregistration is in progress',
  },
  notInUse: {
    state: 'unused',
    reason: 'Target.NotInUse',
    description: 'Target group is not configured to receive traffic from the load balancer',
  },
  zoneDisabled: {
    state: 'unused',
    reason: 'Target.NotInUse',
    description: 'Target is in an Availability Zone that is not enabled for the load balancer',
  },
  notRegistered: {
    state: 'unused',
    reason: 'Target.NotRegistered',
    description: 'Target is not registered to the target group',
  },
} as const satisfies Record<string, Health>;

export const invalidState = (state: string): Health => ({
  state: 'unused',
  reason: 'Target.InvalidState',
  description: `Target is in the ${state} state`,
});

export const flag = (attributes: ReadonlyMap<string, string>, key: string) => attributes.get(key) === 'true';
