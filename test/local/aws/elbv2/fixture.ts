import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import {
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { Elbv2 } from '../../../../local/aws/elbv2';
import { TableNetwork } from '../../../../local/network-table';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { clientConfig, sender } from '../../../support/sdk';
import { ec2Fixture } from '../ec2/fixture';

interface Options {
  crossZone?: boolean;
  targetGroup?: Record<string, unknown>;
  attributes?: Record<string, string>;
  /** Whether the servers' group admits the load balancer's on the check's port. */
  admitCheck?: boolean;
}

/** A load balancer with one listener on port 80 in front of a target group that is checked on port 32000. */
export async function elbv2Fixture({
  crossZone = true,
  targetGroup = {},
  attributes = {},
  admitCheck = true,
}: Options = {}) {
  const {
    ec2,
    world,
    vpc,
    subnets,
    group: servers,
    create: createEc2,
    launch,
    client: ec2Client,
    send: sendEc2,
  } = await ec2Fixture();
  const network = new TableNetwork(world.clock);
  /** Addresses to which open connections were ended. */
  const dropped: string[] = [];
  const balance = network.balance.bind(network);
  network.balance = async (...parameters) => ({
    ...(await balance(...parameters)),
    drop: (address) => {
      dropped.push(address);
    },
  });
  const elbv2 = new Elbv2(world, { ec2, network });
  const create = async (type: string, logicalId: string, properties: Record<string, unknown>) => {
    const provision = elbv2.resources[`AWS::ElasticLoadBalancingV2::${type}`];
    return provision!(logicalId, properties);
  };
  const front = await createEc2('AWS::EC2::SecurityGroup', 'Balancer', {
    GroupDescription: 'load balancer',
    VpcId: vpc.ref,
    SecurityGroupIngress: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' }],
  });
  for (const port of admitCheck ? [80, 32000] : [80]) {
    await createEc2('AWS::EC2::SecurityGroupIngress', `Port${port}`, {
      GroupId: servers.ref,
      IpProtocol: 'tcp',
      FromPort: port,
      ToPort: port,
      SourceSecurityGroupId: front.ref,
    });
  }
  const balancer = await create('LoadBalancer', 'LoadBalancer', {
    LoadBalancerAttributes: [{ Key: 'load_balancing.cross_zone.enabled', Value: String(crossZone) }],
    SecurityGroups: [front.ref],
    Subnets: subnets,
    Type: 'network',
  });
  const group = await create('TargetGroup', 'Http', {
    HealthCheckIntervalSeconds: 10,
    HealthCheckPort: '32000',
    HealthyThresholdCount: 3,
    UnhealthyThresholdCount: 2,
    Port: 80,
    Protocol: 'TCP',
    TargetGroupAttributes: Object.entries({ 'preserve_client_ip.enabled': 'false', ...attributes }).map(
      ([Key, Value]) => ({ Key, Value }),
    ),
    VpcId: vpc.ref,
    ...targetGroup,
  });
  const listen = () =>
    create('Listener', 'Listener', {
      DefaultActions: [{ Type: 'forward', TargetGroupArn: group.ref }],
      LoadBalancerArn: balancer.ref,
      Port: 80,
      Protocol: 'TCP',
    });

  const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/RegisterTargets/test');
  const client = new ElasticLoadBalancingV2Client(clientConfig(world, createEndpoint(world, [elbv2]), caller));
  const send = sender(world.clock, caller);
  const TargetGroupArn = group.ref;

  /** A running instance in a zone, with a web server and a health check that both answer. */
  const server = async (zone = 0, { healthy = true } = {}) => {
    const { InstanceId } = await launch({ SubnetId: subnets[zone] });
    await world.clock.advance(60_000);
    const { privateIp } = ec2.instance(InstanceId!)!;
    await network.listen(privateIp, 80, { kind: 'http', respond: () => ({ status: 200, body: InstanceId }) });
    const check = healthy ? await network.listen(privateIp, 32000, { kind: 'echo' }) : undefined;
    return { id: InstanceId!, privateIp, check };
  };
  const register = (...ids: string[]) =>
    send(() => client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: ids.map((Id) => ({ Id })) })));
  const deregister = (...ids: string[]) =>
    send(() => client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: ids.map((Id) => ({ Id })) })));
  const terminate = (id: string) => sendEc2(() => ec2Client.send(new TerminateInstancesCommand({ InstanceIds: [id] })));
  /** State, and reason where there is one, by instance. */
  const health = async (...ids: string[]) => {
    const Targets = ids.length > 0 ? ids.map((Id) => ({ Id })) : undefined;
    const answer = await send(() => client.send(new DescribeTargetHealthCommand({ TargetGroupArn, Targets })));
    return Object.fromEntries(
      answer.TargetHealthDescriptions!.map(({ Target, TargetHealth }) => [
        Target!.Id!,
        [TargetHealth!.State, TargetHealth!.Reason].filter((part) => part !== undefined).join(' '),
      ]),
    );
  };
  /** Who answers a request through the load balancer, or why nobody does. */
  const visit = async () => {
    const result = await world.clock.until(network.request(80));
    return result.ok ? result.response.body : result.reason;
  };
  const visits = async (times = 20) => {
    const answers = new Set<string | undefined>();
    for (let count = 0; count < times; count++) answers.add(await visit());
    return [...answers].sort();
  };
  const minutes = (count: number) => world.clock.advance(count * 60_000);
  return {
    balancer,
    client,
    create,
    deregister,
    dropped,
    ec2,
    elbv2,
    group,
    health,
    listen,
    minutes,
    network,
    register,
    send,
    server,
    subnets,
    terminate,
    visit,
    visits,
    vpc,
    world,
  };
}
