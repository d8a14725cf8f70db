import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import type { Names } from '../names';
import type { Network } from './network';
import { PORT } from './ports';

/**
 * Health checks of all target groups. The fastest pair of thresholds at an interval that costs a node nothing: a dead
 * server is out of service in about 20 seconds.
 */
const HEALTH_CHECK = {
  healthCheckEnabled: true,
  healthCheckIntervalSeconds: 10,
  healthCheckTimeoutSeconds: 5,
  healthyThresholdCount: 2,
  unhealthyThresholdCount: 2,
} as const;

const COMMON_ATTRIBUTES = {
  // With preservation on, a server could not reach itself through the load balancer, and the nodes' security group
  // would have to admit the clients themselves.
  'preserve_client_ip.enabled': 'false',
  'deregistration_delay.timeout_seconds': '30',
  // A connection to a dead server would otherwise hang until the client gives up.
  'deregistration_delay.connection_termination.enabled': 'true',
  'target_health_state.unhealthy.connection_termination.enabled': 'true',
};

export type TargetGroupStem = 'http' | 'https' | 'api';

/** Network Load Balancer in front of the servers: 80, 443 and 6443, each with its own target group. */
export class LoadBalancer extends Construct {
  readonly dnsName: string;
  /** ARNs in the order of the functions' TARGET_GROUPS: http, https, api. */
  readonly targetGroupArns: readonly [http: string, https: string, api: string];
  /** The dimensions of the metrics: of the load balancer, and of each target group. */
  readonly fullName: string;
  readonly targetGroupFullNames: Readonly<Record<TargetGroupStem, string>>;

  constructor(scope: Construct, id: string, props: { network: Network; names: Names }) {
    super(scope, id);
    const { network, names } = props;
    const balancer = new elb.CfnLoadBalancer(this, 'Nlb', {
      name: names.loadBalancer,
      type: 'network',
      scheme: 'internet-facing',
      ipAddressType: 'ipv4',
      subnets: network.publicSubnets.map((subnet) => subnet.subnetId),
      // Security groups can be attached at creation only.
      securityGroups: [network.loadBalancerGroupId],
      // One server per zone: without it a zone's clients would depend on that zone's server.
      loadBalancerAttributes: attributes({ 'load_balancing.cross_zone.enabled': 'true' }),
    });
    // An internet-facing load balancer is refused in a VPC without an attached internet gateway.
    balancer.node.addDependency(...network.publicSubnets.map((subnet) => subnet.internetConnectivityEstablished));
    this.dnsName = balancer.attrDnsName;
    this.fullName = balancer.attrLoadBalancerFullName;

    const group = (stem: TargetGroupStem, port: number, props: Partial<elb.CfnTargetGroupProps>) => {
      const target = new elb.CfnTargetGroup(this, `${stem.charAt(0).toUpperCase()}${stem.slice(1)}Targets`, {
        name: names.targetGroup(stem),
        vpcId: network.vpc.vpcId,
        targetType: 'instance',
        protocol: 'TCP',
        port,
        ...HEALTH_CHECK,
        ...props,
      });
      new elb.CfnListener(this, `${stem.charAt(0).toUpperCase()}${stem.slice(1)}Listener`, {
        loadBalancerArn: balancer.ref,
        protocol: 'TCP',
        port,
        defaultActions: [{ type: 'forward', targetGroupArn: target.ref }],
      });
      return target;
    };
    // Traefik learns the client's address from the PROXY header. The health check sends none: it goes to the echo
    // service, which answers only where its own pod is ready.
    const ingress = {
      targetGroupAttributes: attributes({ ...COMMON_ATTRIBUTES, 'proxy_protocol_v2.enabled': 'true' }),
      healthCheckProtocol: 'TCP',
      healthCheckPort: String(PORT.health),
    };
    const http = group('http', PORT.http, ingress);
    const https = group('https', PORT.https, ingress);
    const api = group('api', PORT.api, {
      targetGroupAttributes: attributes(COMMON_ATTRIBUTES),
      healthCheckProtocol: 'HTTPS',
      healthCheckPort: 'traffic-port',
      // An API server that is ready asks for credentials; one that is not answers 503. /ping would prove nothing.
      healthCheckPath: '/readyz',
      matcher: { httpCode: '401' },
    });
    this.targetGroupArns = [http.ref, https.ref, api.ref];
    this.targetGroupFullNames = {
      http: http.attrTargetGroupFullName,
      https: https.attrTargetGroupFullName,
      api: api.attrTargetGroupFullName,
    };
  }
}

function attributes(values: Record<string, string>): { key: string; value: string }[] {
  return Object.entries(values).map(([key, value]) => ({ key, value }));
}
