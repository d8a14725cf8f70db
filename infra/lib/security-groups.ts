import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { PORT } from './ports';

const ANYWHERE = '0.0.0.0/0';

/** What the load balancer passes on to the nodes. */
const FORWARDED = [
  [PORT.http, 'HTTP'],
  [PORT.https, 'HTTPS'],
  [PORT.api, 'Kubernetes API and its health check'],
  [PORT.health, 'health check of HTTP and HTTPS'],
] as const;

/** What servers send each other. https://docs.k3s.io/installation/requirements#inbound-rules-for-k3s-nodes */
const BETWEEN_NODES = [
  { id: 'Etcd', ipProtocol: 'tcp', fromPort: 2379, toPort: 2380, description: 'etcd between servers' },
  { id: 'Api', ipProtocol: 'tcp', fromPort: PORT.api, toPort: PORT.api, description: 'Kubernetes API between servers' },
  { id: 'Kubelet', ipProtocol: 'tcp', fromPort: 10250, toPort: 10250, description: 'kubelet between servers' },
  { id: 'Vxlan', ipProtocol: 'udp', fromPort: 8472, toPort: 8472, description: 'Flannel VXLAN between servers' },
] as const;

/**
 * The closed groups: nodes admit the load balancer and each other, the load balancer admits the world to HTTP and HTTPS
 * and the configured networks to the API. There is no SSH.
 *
 * The rules are spelt out instead of using CDK's SecurityGroup, which leaves out of the load balancer's group itself the
 * outgoing rules that name another group, and then relies on CloudFormation to take back EC2's "allow everything".
 * @returns the group ids
 */
export function securityGroups(
  scope: Construct,
  config: Config,
  vpcId: string,
): { nodes: string; loadBalancer: string } {
  const nodes = new ec2.CfnSecurityGroup(scope, 'NodeGroup', {
    vpcId,
    groupDescription: `K3s servers of ${config.name}`,
    securityGroupEgress: [
      // Servers fetch images, packages and certificates, and pods may call anything.
      { ipProtocol: '-1', cidrIp: ANYWHERE, description: 'anything outgoing' },
    ],
  }).attrGroupId;

  const loadBalancer = new ec2.CfnSecurityGroup(scope, 'LoadBalancerGroup', {
    vpcId,
    groupDescription: `Load balancer of ${config.name}`,
    securityGroupIngress: [
      tcp(PORT.http, { cidrIp: ANYWHERE, description: 'HTTP from anywhere' }),
      tcp(PORT.https, { cidrIp: ANYWHERE, description: 'HTTPS from anywhere' }),
      ...config.apiCidrs.map((cidrIp) => tcp(PORT.api, { cidrIp, description: 'Kubernetes API, as configured' })),
    ],
    securityGroupEgress: FORWARDED.map(([port, what]) =>
      tcp(port, { destinationSecurityGroupId: nodes, description: `${what} to the servers` }),
    ),
  }).attrGroupId;

  // Rules that name their own group, or a group that names theirs, have to stand apart.
  for (const [port, what] of FORWARDED) {
    new ec2.CfnSecurityGroupIngress(scope, `FromLoadBalancer${port}`, {
      groupId: nodes,
      ...tcp(port, { sourceSecurityGroupId: loadBalancer, description: `${what} from the load balancer` }),
    });
  }
  for (const { id, ...rule } of BETWEEN_NODES) {
    new ec2.CfnSecurityGroupIngress(scope, `Between${id}`, { groupId: nodes, sourceSecurityGroupId: nodes, ...rule });
  }
  return { nodes, loadBalancer };
}

function tcp<Rest extends object>(port: number, rest: Rest) {
  return { ipProtocol: 'tcp', fromPort: port, toPort: port, ...rest };
}
