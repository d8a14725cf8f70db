import { cleanUp, type Json, ofType, only, type Resource, synth, text } from './stack';

afterAll(cleanUp);

const { template } = synth();

const attributes = (resource: Resource, property: string): Record<string, Json> => {
  const list = resource.Properties[property];
  return Object.fromEntries(
    Array.isArray(list)
      ? list.map((entry) => {
          const { Key, Value } = entry as { Key: string; Value: string };
          return [Key, Value];
        })
      : [],
  );
};
const group = (name: string) =>
  [...ofType(template, 'AWS::ElasticLoadBalancingV2::TargetGroup')].find(
    ([, { Properties }]) => Properties.Name === name,
  )!;

describe('the load balancer', () => {
  const balancer = only(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer');

  it('faces the internet over all three public subnets, with its security group from the start', () => {
    expect(balancer.Properties).toMatchObject({ Type: 'network', Scheme: 'internet-facing', Name: 'k3s-demo' });
    expect(balancer.Properties.Subnets).toHaveLength(3);
    expect(balancer.Properties.SecurityGroups).toHaveLength(1);
  });

  it('uses the servers of every zone', () => {
    expect(attributes(balancer, 'LoadBalancerAttributes')).toEqual({ 'load_balancing.cross_zone.enabled': 'true' });
  });

  it('waits until the VPC has its internet gateway', () => {
    const before = balancer.DependsOn.map((id) => template.Resources[id]?.Type);
    expect(before).toContain('AWS::EC2::Route');
  });

  it('listens on 80, 443 and 6443, each with its own target group', () => {
    const listeners = [...ofType(template, 'AWS::ElasticLoadBalancingV2::Listener').values()].map(({ Properties }) => {
      const [action] = Properties.DefaultActions as { TargetGroupArn: { Ref: string } }[];
      const target = template.Resources[action?.TargetGroupArn.Ref ?? ''];
      return [Properties.Port, Properties.Protocol, target?.Properties.Port, target?.Properties.Name];
    });
    expect(listeners).toEqual([
      [80, 'TCP', 80, 'k3s-demo-http'],
      [443, 'TCP', 443, 'k3s-demo-https'],
      [6443, 'TCP', 6443, 'k3s-demo-api'],
    ]);
  });
});

describe.each(['k3s-demo-http', 'k3s-demo-https', 'k3s-demo-api'])('target group %s', (name) => {
  const [, resource] = group(name);

  it('finds a dead server in about 20 seconds', () => {
    expect(resource.Properties).toMatchObject({
      TargetType: 'instance',
      HealthCheckIntervalSeconds: 10,
      UnhealthyThresholdCount: 2,
      HealthyThresholdCount: 2,
    });
  });

  it('ends the connections of unhealthy and of deregistered servers, and hides the client behind the load balancer', () => {
    expect(attributes(resource, 'TargetGroupAttributes')).toMatchObject({
      'preserve_client_ip.enabled': 'false',
      'deregistration_delay.timeout_seconds': '30',
      'deregistration_delay.connection_termination.enabled': 'true',
      'target_health_state.unhealthy.connection_termination.enabled': 'true',
    });
  });
});

it.each(['k3s-demo-http', 'k3s-demo-https'])('%s speaks PROXY v2 and asks the echo service for health', (name) => {
  const [, resource] = group(name);
  expect(resource.Properties).toMatchObject({ HealthCheckProtocol: 'TCP', HealthCheckPort: '32000' });
  expect(attributes(resource, 'TargetGroupAttributes')).toMatchObject({ 'proxy_protocol_v2.enabled': 'true' });
});

it('k3s-demo-api asks the API server whether it is ready, without credentials and without PROXY header', () => {
  const [, resource] = group('k3s-demo-api');
  expect(resource.Properties).toMatchObject({
    HealthCheckProtocol: 'HTTPS',
    HealthCheckPath: '/readyz',
    HealthCheckPort: 'traffic-port',
    Matcher: { HttpCode: '401' },
  });
  expect(attributes(resource, 'TargetGroupAttributes')).not.toHaveProperty(['proxy_protocol_v2.enabled']);
});

it('the longest cluster name still makes target group names that AWS accepts', () => {
  const long = synth({ name: 'a23456789012345678901z' }).template;
  for (const { Properties } of ofType(long, 'AWS::ElasticLoadBalancingV2::TargetGroup').values()) {
    expect(text(Properties.Name).length).toBeLessThanOrEqual(32);
  }
});
