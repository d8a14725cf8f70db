import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { elbv2Fixture } from './fixture';

describe('describing', () => {
  it('shows the load balancer, its listener and its target group', async () => {
    const { client, send, listen, balancer, group, subnets } = await elbv2Fixture();
    const listener = await listen();
    const { LoadBalancers } = await send(() => client.send(new DescribeLoadBalancersCommand({})));
    expect(LoadBalancers).toMatchObject([
      {
        LoadBalancerArn: balancer.ref,
        DNSName: balancer.attributes.DNSName,
        State: { Code: 'active' },
        Type: 'network',
        AvailabilityZones: [{ ZoneName: 'eu-west-3a', SubnetId: subnets[0] }, {}, {}],
      },
    ]);
    const { TargetGroups } = await send(() =>
      client.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: balancer.ref })),
    );
    expect(TargetGroups).toMatchObject([
      { TargetGroupArn: group.ref, Port: 80, HealthCheckPort: '32000', LoadBalancerArns: [balancer.ref] },
    ]);
    const { Listeners } = await send(() =>
      client.send(new DescribeListenersCommand({ LoadBalancerArn: balancer.ref })),
    );
    expect(Listeners).toMatchObject([
      { ListenerArn: listener.ref, Port: 80, DefaultActions: [{ Type: 'forward', TargetGroupArn: group.ref }] },
    ]);
    const { Attributes } = await send(() =>
      client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: group.ref })),
    );
    expect(Attributes).toContainEqual({ Key: 'preserve_client_ip.enabled', Value: 'false' });
    expect(Attributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '300' });
    const tags = await send(() => client.send(new DescribeTagsCommand({ ResourceArns: [group.ref, balancer.ref] })));
    expect(tags.TagDescriptions).toHaveLength(2);
  });

  it('names what does not exist and what it does not know', async () => {
    const { client, send, group } = await elbv2Fixture();
    const missing = group.ref.replace(/.$/, 'z');
    await expect(
      send(() => client.send(new DescribeTargetHealthCommand({ TargetGroupArn: missing }))),
    ).rejects.toMatchObject({ name: 'TargetGroupNotFoundException', message: expect.stringContaining(missing) });
    await expect(
      send(() => client.send(new DescribeLoadBalancersCommand({ Names: ['nobody'] }))),
    ).rejects.toMatchObject({ name: 'LoadBalancerNotFoundException' });
    await expect(
      send(() => client.send(new DescribeTargetHealthCommand({ TargetGroupArn: group.ref, Include: ['All'] }))),
    ).rejects.toMatchObject({ name: 'ValidationError', message: expect.stringContaining('Include') });
  });
});

describe('provisioning', () => {
  it('gives the names that metrics and records use', async () => {
    const { balancer, group } = await elbv2Fixture();
    expect(balancer.attributes).toMatchObject({
      DNSName: expect.stringMatching(/^LoadBalancer-[0-9a-f]{12}-[0-9a-f]{16}\.elb\.eu-west-3\.amazonaws\.com$/),
      LoadBalancerFullName: expect.stringMatching(/^net\/LoadBalancer-[0-9a-f]{12}\/[0-9a-f]{16}$/),
    });
    expect(balancer.ref).toMatch(/^arn:aws:elasticloadbalancing:eu-west-3:123456789012:loadbalancer\/net\//);
    expect(group.attributes.TargetGroupFullName).toMatch(/^targetgroup\/Http-[0-9a-f]{12}\/[0-9a-f]{16}$/);
  });

  it.each([
    ['an unknown attribute', { TargetGroupAttributes: [{ Key: 'slow_start.duration_seconds', Value: '30' }] }],
    ['a wrong attribute', { TargetGroupAttributes: [{ Key: 'proxy_protocol_v2.enabled', Value: 'yes' }] }],
    ['a check that outlasts its interval', { HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 6 }],
    ['a path of a TCP check', { HealthCheckPath: '/' }],
    ['too low a threshold', { UnhealthyThresholdCount: 1 }],
    ['another protocol', { Protocol: 'UDP' }],
    ['a property that is not modelled', { Targets: [] }],
  ])('refuses a target group with %s', async (_, properties) => {
    const { create, vpc } = await elbv2Fixture();
    const base = { Port: 443, Protocol: 'TCP', VpcId: vpc.ref };
    await expect(create('TargetGroup', 'Https', { ...base, ...properties })).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringContaining('Https (AWS::ElasticLoadBalancingV2::TargetGroup)'),
    });
  });

  it('refuses a second listener on a port and two subnets of a zone', async () => {
    const { create, listen, subnets } = await elbv2Fixture();
    await listen();
    await expect(listen()).rejects.toMatchObject({ code: 'DuplicateListener' });
    const twice = { Subnets: [subnets[0], subnets[0]], Type: 'network' };
    await expect(create('LoadBalancer', 'Other', twice)).rejects.toMatchObject({ code: 'InvalidConfigurationRequest' });
  });
});
