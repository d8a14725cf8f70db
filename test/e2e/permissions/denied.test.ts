/** What AWS would refuse is refused: each permission that is taken away fails what needs it, by name. */
import {
  EC2Client,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { discardAltered, withoutAction, withoutResource, withRole } from '../../support/altered-assembly';
import { bootTest, closeAll, type TestCluster } from '../../support/embedded';
import { clientConfig, sender } from '../../support/sdk';

afterEach(closeAll);
afterAll(discardAltered);

const bootWith = (assembly: string, healer = false) => bootTest({ assembly, healer });

/** The actions that were refused, each with the kind of resource. */
const refused = (cluster: TestCluster) =>
  cluster
    .expectedDenials()
    .map(({ action, resource }) => `${action} ${resource.split(':').slice(5).join(':') || resource}`);

describe('an execution fails, naming action, resource and role,', () => {
  it.each([
    ['ec2:RunInstances', 'LaunchServer', /RunInstances on resource: arn:aws:ec2:eu-west-3:\d+:launch-template\/lt-/],
    ['iam:PassRole', 'LaunchServer', /iam:PassRole on resource: arn:aws:iam::\d+:role\/NodesRole/],
    ['ec2:CreateTags', 'LaunchServer', /ec2:CreateTags on resource: arn:aws:ec2:eu-west-3:\d+:instance\/\*/],
    ['dynamodb:UpdateItem', 'AcquireLease', /dynamodb:UpdateItem on resource: arn:aws:dynamodb:.*:table\/StateTable/],
    ['ssm:SendCommand', 'SendCommand', /ssm:SendCommand on resource: arn:aws:ssm:.*:document\/k3s-demo-/],
    [
      'elasticloadbalancing:RegisterTargets',
      'RegisterTargets',
      /RegisterTargets on resource: .*:targetgroup\/k3s-demo/,
    ],
  ])('without %s for %s', async (action, step, message) => {
    const cluster = await bootWith(withoutAction(`Functions${step}Role`, action));
    const { status, cause } = await cluster.create();
    expect(status).toBe('FAILED');
    expect(cause).toMatch(message);
    expect(cause).toMatch(`assumed-role/Functions${step}Role`);
    expect(new Set(cluster.expectedDenials().map((denial) => denial.action))).toEqual(new Set([action]));
  });

  it('when the state machine may not invoke a function', async () => {
    const assembly = withRole('WorkflowClusterRole', ({ Policies }) => {
      Policies[0]!.PolicyDocument.Statement[0]!.Resource = 'arn:aws:lambda:*:*:function:other';
    });
    const cluster = await bootWith(assembly);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Lambda.AWSLambdaException' });
    expect(cause).toContain(
      'lambda:InvokeFunction on resource: arn:aws:lambda:eu-west-3:000000000000:function:k3s-demo-',
    );
    cluster.expectedDenials();
  });
});

describe('a server', () => {
  /** Servers run for longer than they usually need, and none has run a command. */
  async function expectNoCommand(cluster: TestCluster): Promise<void> {
    await cluster.start('cluster');
    await cluster.pass(150);
    expect(cluster.living).toHaveLength(3);
    expect(cluster.state.members).toEqual([]);
  }

  it.each(['ssm:UpdateInstanceInformation', 'ssmmessages:OpenControlChannel'])(
    'whose agent lacks %s never takes a command',
    async (action) => {
      const cluster = await bootWith(withoutAction('NodesRole', action));
      await expectNoCommand(cluster);
      expect(new Set(cluster.expectedDenials().map((denial) => denial.action))).toEqual(new Set([action]));
    },
  );

  it('without the join token says so and starts no cluster', async () => {
    const cluster = await bootWith(withoutAction('NodesRole', 'secretsmanager:GetSecretValue'));
    const { status, cause } = await cluster.create();
    expect(status).toBe('FAILED');
    expect(cause).toMatch(/AccessDeniedException.*GetSecretValue/);
    expect(cluster.state.members).toEqual([]);
    cluster.expectedDenials();
  });

  it('whose role EC2 may not assume has no credentials at all', async () => {
    const assembly = withRole('NodesRole', ({ AssumeRolePolicyDocument }) => {
      AssumeRolePolicyDocument.Statement[0]!.Principal = { Service: 'ecs.amazonaws.com' };
    });
    const cluster = await bootWith(assembly);
    await expectNoCommand(cluster);
    expect(refused(cluster)).toContainEqual(expect.stringContaining('sts:AssumeRole role/NodesRole'));
  });
});

describe('a service', () => {
  it('of events without a permission of the function loses the event', async () => {
    const cluster = await bootWith(withoutResource('EventsSchedulePermission'), true);
    await cluster.pass(150);
    expect(cluster.aws.services.events.counters.failedDeliveries).toBe(2);
    expect(refused(cluster)).toEqual(['lambda:InvokeFunction function:k3s-demo-handle-node-event']);
  });

  it('of functions without permission to log runs them all the same, and their lines are lost', async () => {
    const cluster = await bootWith(withoutAction('FunctionsAcquireLeaseRole', 'logs:CreateLogStream'));
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    const lines = (name: string) => cluster.aws.services.logs.lines(`/aws/lambda/k3s-demo-${name}`).length;
    expect(lines('acquire-lease')).toBe(0);
    expect(lines('release-lease')).toBeGreaterThan(0);
    expect(refused(cluster)).toEqual([
      expect.stringMatching(/^logs:CreateLogStream log-group:\/aws\/lambda\/k3s-demo-acquire/),
    ]);
  });

  it.each([
    ['of functions', 'FunctionsAcquireLeaseRole', 'The role defined for the function cannot be assumed by Lambda.'],
    ['of workflows', 'WorkflowClusterRole', 'is authorized to assume the provided role'],
  ])('%s that may not assume the role refuses the deployment', async (_, role, message) => {
    const assembly = withRole(role, ({ AssumeRolePolicyDocument }) => {
      AssumeRolePolicyDocument.Statement[0]!.Principal = { Service: 'ec2.amazonaws.com' };
    });
    await expect(bootWith(assembly)).rejects.toThrow(message);
  });
});

it('a statement that could never match anything ends the deployment, named', async () => {
  const assembly = withRole('FunctionsTerminateServerRole', ({ Policies }) => {
    const [terminate] = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).filter(
      ({ Action }) => Action === 'ec2:TerminateInstances',
    );
    terminate!.Condition = { StringEquals: { 'aws:RequestTag/k3s:cluster': 'demo' } };
  });
  await expect(bootTest({ assembly, reviewPolicies: true })).rejects.toThrow(
    /FunctionsTerminateServerRole.*PolicyDocument\/Statement\/\d.*no request about ec2:TerminateInstances has aws:RequestTag/,
  );
});

/** The template's own image: even that one may not be named by the request. */
const IMAGE = 'ami-0a12023000000086e';

describe('who has taken over', () => {
  /** The credentials of a role of the stack, as a function or a server has them. */
  function intruder(cluster: TestCluster, role: string) {
    const { aws, clock } = cluster;
    const found = [...aws.stack.resources].find(([id, { type }]) => id.startsWith(role) && type === 'AWS::IAM::Role');
    const caller = aws.world.credentials.issue(`arn:aws:sts::000000000000:assumed-role/${found?.[1].ref}/intruder`);
    const config = clientConfig(aws.world, aws.endpoint, caller);
    const send = sender(clock, caller);
    const attempt = async (call: () => Promise<unknown>): Promise<string> => {
      const outcome = await send(() => call().catch((error: Error) => error));
      cluster.expectedDenials();
      return outcome instanceof Error ? `${outcome.name}: ${outcome.message}` : 'done';
    };
    return { config, attempt };
  }

  it('launch-server launches nothing but servers of this cluster', async () => {
    const cluster = await bootTest({ healer: false });
    const { config, attempt } = intruder(cluster, 'FunctionsLaunchServerRole');
    const ec2 = new EC2Client(config);
    const resources = cluster.aws.stack.resources;
    const idOf = (start: string) => [...resources].find(([id]) => id.startsWith(start))?.[1].ref ?? '';
    const tagged = (value: string) =>
      (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({
        ResourceType,
        Tags: [{ Key: 'k3s:cluster', Value: value }],
      }));
    const server: RunInstancesCommandInput = {
      MinCount: 1,
      MaxCount: 1,
      LaunchTemplate: { LaunchTemplateId: idOf('NodesLaunchTemplate') },
      SubnetId: idOf('NetworkVpcPublicSubnet1Subnet'),
      TagSpecifications: tagged('demo'),
    };
    const launch = (change: Partial<RunInstancesCommandInput>) =>
      attempt(() => ec2.send(new RunInstancesCommand({ ...server, ...change })));
    const denied = (resource: string) =>
      expect.stringMatching(`^UnauthorizedOperation: You are not authorized to perform this operation. .*${resource}`);
    expect(await launch({ TagSpecifications: tagged('other') })).toEqual(denied('instance/'));
    expect(await launch({ TagSpecifications: tagged('demo').slice(0, 1) })).toEqual(denied('volume/'));
    expect(await launch({ InstanceType: 'm7i.4xlarge' })).toEqual(denied('instance/'));
    expect(await launch({ ImageId: IMAGE })).toEqual(denied('image/'));
    const groups = [...resources].find(
      ([id, { type }]) => type === 'AWS::EC2::SecurityGroup' && id.includes('LoadBalancer'),
    );
    expect(await launch({ SecurityGroupIds: [String(groups?.[1].attributes.GroupId)] })).toEqual(
      denied('security-group/'),
    );
    expect(await launch({})).toBe('done');
  });

  it('functions that end servers and send commands reach those of this cluster only', async () => {
    const cluster = await bootTest({ healer: false });
    await cluster.create();
    const { instanceId } = cluster.server(1);
    cluster.aws.services.ec2.instance(instanceId)?.tags.set('k3s:cluster', 'other');
    const own = cluster.server(2).instanceId;
    const terminator = intruder(cluster, 'FunctionsTerminateServerRole');
    const ec2 = new EC2Client(terminator.config);
    const terminate = (id: string) =>
      terminator.attempt(() => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })));
    expect(await terminate(instanceId)).toMatch(
      /^UnauthorizedOperation: .*ec2:TerminateInstances on resource: .*instance\/i-/,
    );

    const ssm = new SSMClient(terminator.config);
    const command = (script: string, id: string) =>
      terminator.attempt(() => ssm.send(new SendCommandCommand({ DocumentName: script, InstanceIds: [id] })));
    expect(await command('k3s-demo-ReportStatus', instanceId)).toMatch(/^AccessDeniedException: .*instance\/i-/);
    expect(await command('k3s-demo-RemoveMember', own)).toMatch(
      /^AccessDeniedException: .*document\/k3s-demo-RemoveMember/,
    );
    expect(await command('AWS-RunShellScript', own)).toMatch(/^AccessDeniedException: .*document\/AWS-RunShellScript/);
    expect(await command('k3s-demo-ReportStatus', own)).toBe('done');
    expect(await terminate(own)).toBe('done');
  });

  it('publish-event speaks in no other name', async () => {
    const cluster = await bootTest({ healer: false });
    const { config, attempt } = intruder(cluster, 'FunctionsPublishEventRole');
    const bus = new EventBridgeClient(config);
    const put = (Source: string) =>
      attempt(() => bus.send(new PutEventsCommand({ Entries: [{ Source, DetailType: 'x', Detail: '{}' }] })));
    expect(await put('other')).toMatch(/^AccessDeniedException: .*events:PutEvents on resource: .*event-bus\/default/);
    expect(await put('k3s.cluster')).toBe('done');
  });

  it('a server reads its manifests and nothing beside them, and does nothing to EC2', async () => {
    const cluster = await bootTest({ healer: false });
    const { config, attempt } = intruder(cluster, 'NodesRole');
    const s3 = new S3Client({ ...config, forcePathStyle: true });
    const Bucket = 'cdk-hnb659fds-assets-000000000000-eu-west-3';
    expect(await attempt(() => s3.send(new GetObjectCommand({ Bucket, Key: 'other.zip' })))).toMatch(/^AccessDenied: /);
    const ec2 = new EC2Client(config);
    const terminate = new TerminateInstancesCommand({ InstanceIds: ['i-00000000000000000'] });
    expect(await attempt(() => ec2.send(terminate))).not.toBe('done');
    expect(await attempt(() => ec2.send(new RunInstancesCommand({ MinCount: 1, MaxCount: 1 })))).not.toBe('done');
  });
});
