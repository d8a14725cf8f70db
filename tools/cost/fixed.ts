/** What a deployed stack costs by the month while nothing happens in it: the resources of its template, and its servers. */
import { z } from 'zod';
import type { Config } from '../../infra/config';
import { FIXED, type FixedName, instanceMonth } from './prices';

/** One line of a monthly bill. */
export interface Charge {
  what: string;
  count: number;
  /** For all of them, a month; undefined: no price is known. */
  usd: number | undefined;
}

const TEMPLATE = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
type Resource = z.infer<typeof TEMPLATE>['Resources'][string];

const LOAD_BALANCER = z.object({ Scheme: z.string(), Subnets: z.array(z.unknown()) });
const ENDPOINT = z.object({
  VpcEndpointType: z.string().default('Gateway'),
  SubnetIds: z.array(z.unknown()).default([]),
});

/** @param template the CloudFormation template that was synthesized for this configuration, parsed */
export function fixedCharges(template: unknown, config: Config): Charge[] {
  const { Resources } = TEMPLATE.parse(template);
  const all = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type);
  const balancers = all('AWS::ElasticLoadBalancingV2::LoadBalancer').map(({ Properties }) =>
    LOAD_BALANCER.parse(Properties),
  );
  const listed = (name: FixedName, what: string, count: number): Charge => ({
    what,
    count,
    usd: count * FIXED[name].usd,
  });
  const { servers, volumeGib, network } = config;
  const [type = ''] = config.instanceTypes;
  const month = instanceMonth(type);
  const charges: Charge[] = [
    { what: `servers, ${type}, on demand`, count: servers, usd: month === undefined ? undefined : servers * month },
    listed('volumeGib', 'GiB of volumes, gp3', servers * volumeGib),
    listed('detailedMonitoring', 'servers with detailed monitoring', servers),
    listed('loadBalancer', 'Network Load Balancers, without traffic', balancers.length),
    listed('address', 'public IPv4 addresses of servers', network.mode === 'public' ? servers : 0),
    listed(
      'address',
      'public IPv4 addresses of the load balancer',
      balancers.reduce((sum, { Scheme, Subnets }) => sum + (Scheme === 'internet-facing' ? Subnets.length : 0), 0),
    ),
    listed('natGateway', 'NAT gateways, without traffic', all('AWS::EC2::NatGateway').length),
    listed('address', 'public IPv4 addresses of NAT gateways', all('AWS::EC2::EIP').length),
    listed('interfaceEndpointInZone', 'interface endpoints, by zone', interfaceEndpoints(all('AWS::EC2::VPCEndpoint'))),
    listed('secret', 'secrets', all('AWS::SecretsManager::Secret').length),
    listed('key', 'customer keys', all('AWS::KMS::Key').length),
    listed('alarm', 'alarms', all('AWS::CloudWatch::Alarm').length),
    listed('dashboard', 'dashboards', all('AWS::CloudWatch::Dashboard').length),
    listed('imageRepository', 'image repositories, half a GB each', all('AWS::ECR::Repository').length),
  ];
  return charges.filter(({ count }) => count > 0);
}

function interfaceEndpoints(endpoints: Resource[]): number {
  return endpoints
    .map(({ Properties }) => ENDPOINT.parse(Properties))
    .reduce((sum, { VpcEndpointType, SubnetIds }) => sum + (VpcEndpointType === 'Interface' ? SubnetIds.length : 0), 0);
}
