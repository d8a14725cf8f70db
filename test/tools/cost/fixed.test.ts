import { parseConfig } from '../../../infra/config';
import { fixedCharges } from '../../../tools/cost/fixed';

const BALANCER = {
  Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
  Properties: { Scheme: 'internet-facing', Subnets: ['a', 'b', 'c'] },
};
const of = (resources: Record<string, object>, settings: object = {}) =>
  Object.fromEntries(
    fixedCharges({ Resources: resources }, parseConfig(settings)).map(({ what, count, usd }) => [what, [count, usd]]),
  );

describe('the fixed charges', () => {
  it('are the servers with what belongs to them, and every resource that costs something by the month', () => {
    const secret = { Type: 'AWS::SecretsManager::Secret' };
    const alarm = { Type: 'AWS::CloudWatch::Alarm' };
    const free = { Type: 'AWS::IAM::Role', Properties: {} };
    expect(of({ balancer: BALANCER, secret, one: alarm, two: alarm, free })).toEqual({
      'servers, t3.medium, on demand': [3, expect.closeTo(91.1, 1)],
      'GiB of volumes, gp3': [60, expect.closeTo(4.8)],
      'servers with detailed monitoring': [3, expect.closeTo(6.3)],
      'Network Load Balancers, without traffic': [1, expect.closeTo(16.43)],
      'public IPv4 addresses of servers': [3, expect.closeTo(10.95)],
      'public IPv4 addresses of the load balancer': [3, expect.closeTo(10.95)],
      secrets: [1, 0.4],
      alarms: [2, 0.2],
    });
  });

  it('of private servers are NAT gateways with their addresses instead of addresses of the servers', () => {
    const charges = of(
      {
        balancer: BALANCER,
        nat: { Type: 'AWS::EC2::NatGateway' },
        address: { Type: 'AWS::EC2::EIP' },
        s3: { Type: 'AWS::EC2::VPCEndpoint', Properties: { VpcEndpointType: 'Gateway' } },
        ssm: { Type: 'AWS::EC2::VPCEndpoint', Properties: { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b'] } },
      },
      { network: { mode: 'private', nat: 'single' } },
    );
    expect(charges).toMatchObject({
      'NAT gateways, without traffic': [1, expect.closeTo(32.85)],
      'public IPv4 addresses of NAT gateways': [1, expect.closeTo(3.65)],
      'interface endpoints, by zone': [2, expect.closeTo(14.6)],
    });
    expect(charges).not.toHaveProperty('public IPv4 addresses of servers');
  });

  it('name a server type whose price is not known', () => {
    expect(of({}, { instanceTypes: ['m7i.xlarge'] })).toMatchObject({
      'servers, m7i.xlarge, on demand': [3, undefined],
    });
  });
});
