import {
  CreateTagsCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  DescribeNetworkInterfacesCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { ec2Fixture } from './fixture';

const MINUTE = 60_000;

type Fixture = Awaited<ReturnType<typeof ec2Fixture>>;

async function described(fixture: Fixture, input: DescribeInstancesCommandInput = {}) {
  const { client, send } = fixture;
  const answer = await send(() => client.send(new DescribeInstancesCommand(input)));
  return answer.Reservations!.flatMap(({ Instances }) => Instances!);
}

const ids = (instances: { InstanceId?: string }[]) => instances.map(({ InstanceId }) => InstanceId);

describe('a launch', () => {
  it('takes its properties from the request and the template', async () => {
    const fixture = await ec2Fixture();
    const instance = await fixture.launch({
      ClientToken: 'token',
      TagSpecifications: [
        { ResourceType: 'instance', Tags: [{ Key: 'k3s:slot', Value: '0' }] },
        { ResourceType: 'volume', Tags: [{ Key: 'k3s:slot', Value: '0' }] },
      ],
    });
    expect(instance).toMatchObject({
      State: { Name: 'pending', Code: 0 },
      InstanceType: 't4g.medium',
      Architecture: 'arm64',
      SubnetId: fixture.subnets[0],
      VpcId: fixture.vpc.ref,
      PrivateIpAddress: '127.77.3.10',
      PublicIpAddress: expect.stringMatching(/^203\.0\.113\./),
      Placement: { AvailabilityZone: 'eu-west-3a' },
      ClientToken: 'token',
      IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/server' },
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      Monitoring: { State: 'enabled' },
      SecurityGroups: [{ GroupId: fixture.group.ref }],
      Tags: [
        { Key: 'k3s:cluster', Value: 'demo' },
        { Key: 'k3s:slot', Value: '0' },
        { Key: 'aws:ec2launchtemplate:id', Value: fixture.template.ref },
        { Key: 'aws:ec2launchtemplate:version', Value: '1' },
      ],
    });
    const { Volumes } = await fixture.send(() => fixture.client.send(new DescribeVolumesCommand({})));
    expect(Volumes).toMatchObject([
      { Size: 20, VolumeType: 'gp3', Encrypted: true, State: 'in-use', Tags: [{ Key: 'k3s:slot', Value: '0' }] },
    ]);
  });

  it('becomes running, then boots with its user data and its role’s credentials', async () => {
    const { launch, world, host, ec2, events } = await ec2Fixture();
    const { InstanceId } = await launch();
    const states: string[] = [];
    ec2.onState((_, state) => states.push(state));
    await world.clock.advance(2 * MINUTE);
    expect(states).toEqual(['running']);
    expect(ec2.machine(InstanceId!)?.address).toBe('127.77.3.10');
    const { credentials, ...spec } = host.booted[0]!;
    expect(spec).toEqual({
      instanceId: InstanceId,
      privateIp: '127.77.3.10',
      availabilityZone: 'eu-west-3a',
      region: 'eu-west-3',
      instanceType: 't4g.medium',
      architecture: 'arm64',
      userData: '#!/bin/bash\necho up\n',
    });
    expect(world.credentials.lookup(credentials.accessKeyId)?.principal).toBe(
      `arn:aws:sts::123456789012:assumed-role/k3s-demo-ServerRole/${InstanceId}`,
    );
    expect(events.map(({ detail }) => detail)).toEqual([
      { 'instance-id': InstanceId, state: 'pending' },
      { 'instance-id': InstanceId, state: 'running' },
    ]);
    expect(events[0]).toMatchObject({
      version: '0',
      source: 'aws.ec2',
      'detail-type': 'EC2 Instance State-change Notification',
      account: '123456789012',
      region: 'eu-west-3',
      resources: [`arn:aws:ec2:eu-west-3:123456789012:instance/${InstanceId}`],
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  it('with a token that was used returns the same instance, even after its termination', async () => {
    const { launch, ec2, client, send, world } = await ec2Fixture();
    const first = await launch({ ClientToken: 'a' });
    await send(() => client.send(new TerminateInstancesCommand({ InstanceIds: [first.InstanceId!] })));
    await world.clock.advance(10 * MINUTE);
    const second = await launch({ ClientToken: 'a' });
    expect(second.InstanceId).toBe(first.InstanceId);
    expect(second.State?.Name).toBe('terminated');
    expect(ec2.instances()).toHaveLength(1);
    await expect(launch({ ClientToken: 'a', InstanceType: 't4g.large' })).rejects.toMatchObject({
      name: 'IdempotentParameterMismatch',
    });
  });

  it('fails for want of capacity in one zone, and only there', async () => {
    const { launch, ec2, subnets } = await ec2Fixture();
    ec2.setCapacity('eu-west-3a', 't4g.medium', false);
    await expect(launch({ ClientToken: 'a' })).rejects.toMatchObject({
      name: 'InsufficientInstanceCapacity',
      message: expect.stringContaining('eu-west-3a'),
    });
    await expect(launch({ InstanceType: 't4g.large' })).resolves.toBeDefined();
    await expect(launch({ SubnetId: subnets[1] })).resolves.toBeDefined();
    ec2.setCapacity('eu-west-3a', 't4g.medium', true);
    await expect(launch({ ClientToken: 'a' })).resolves.toBeDefined();
  });

  it.each([
    ['InvalidLaunchTemplateId.NotFound', { LaunchTemplate: { LaunchTemplateId: 'lt-0123456789abcdef0' } }],
    ['InvalidLaunchTemplateId.Malformed', { LaunchTemplate: { LaunchTemplateId: 'lt-x' } }],
    ['InvalidSubnetID.NotFound', { SubnetId: 'subnet-0123456789abcdef0' }],
    ['InvalidParameterValue', { InstanceType: 't3.medium' as const }],
    ['InvalidParameterValue', { MaxCount: 2 }],
    ['UnknownParameter', { KeyName: 'key' }],
    ['InvalidParameterValue', { ClientToken: 'x'.repeat(65) }],
    [
      'InvalidParameterValue',
      { TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'aws:x', Value: '' }] }] },
    ],
    ['InvalidParameterValue', { IamInstanceProfile: { Name: 'nobody' } }],
    ['DryRunOperation', { DryRun: true }],
  ])('is refused with %s', async (name, overrides) => {
    const { launch, ec2 } = await ec2Fixture();
    await expect(launch(overrides)).rejects.toMatchObject({ name });
    expect(ec2.instances()).toEqual([]);
  });

  it('names a template version that does not exist', async () => {
    const { launch, template } = await ec2Fixture();
    await expect(launch({ LaunchTemplate: { LaunchTemplateId: template.ref, Version: '7' } })).rejects.toMatchObject({
      name: 'InvalidLaunchTemplateId.VersionNotFound',
    });
  });
});

describe('describing instances', () => {
  it('filters by state, tag, zone and address, with wildcards', async () => {
    const fixture = await ec2Fixture();
    const first = await fixture.launch({
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'k3s:slot', Value: '0' }] }],
    });
    const second = await fixture.launch({ SubnetId: fixture.subnets[1] });
    const by = async (Name: string, ...Values: string[]) =>
      ids(await described(fixture, { Filters: [{ Name, Values }] }));
    expect(await by('tag:k3s:cluster', 'demo')).toEqual([first.InstanceId, second.InstanceId]);
    expect(await by('tag:k3s:cluster', 'd?m*')).toHaveLength(2);
    expect(await by('tag-key', 'k3s:slot')).toEqual([first.InstanceId]);
    expect(await by('availability-zone', 'eu-west-3b')).toEqual([second.InstanceId]);
    expect(await by('private-ip-address', '127.77.3.10')).toEqual([first.InstanceId]);
    expect(await by('instance-state-name', 'running')).toEqual([]);
    await expect(by('colour', 'red')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  it('pages', async () => {
    const fixture = await ec2Fixture();
    const launched: (string | undefined)[] = [];
    for (let count = 0; count < 7; count++) launched.push((await fixture.launch()).InstanceId);
    const { client, send } = fixture;
    const first = await send(() => client.send(new DescribeInstancesCommand({ MaxResults: 5 })));
    const second = await send(() =>
      client.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken: first.NextToken })),
    );
    expect(second.NextToken).toBeUndefined();
    const seen = [first, second].flatMap(({ Reservations }) => Reservations!.flatMap(({ Instances }) => Instances!));
    expect(ids(seen)).toEqual(launched);
    await expect(described(fixture, { NextToken: 'forged' })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  it('names ids that do not exist or are none', async () => {
    const fixture = await ec2Fixture();
    await expect(described(fixture, { InstanceIds: ['i-0123456789abcdef0'] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
      message: "The instance ID 'i-0123456789abcdef0' does not exist",
    });
    await expect(described(fixture, { InstanceIds: ['server-0'] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.Malformed',
    });
  });

  it('may lag behind a launch', async () => {
    const fixture = await ec2Fixture();
    fixture.ec2.setDescribeLag(5000);
    const { InstanceId } = await fixture.launch();
    await expect(described(fixture, { InstanceIds: [InstanceId!] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
    await fixture.world.clock.advance(5000);
    expect(await described(fixture)).toHaveLength(1);
  });

  it('lists tags and takes new ones', async () => {
    const { launch, client, send } = await ec2Fixture();
    const { InstanceId } = await launch();
    await send(() =>
      client.send(new CreateTagsCommand({ Resources: [InstanceId!], Tags: [{ Key: 'Name', Value: 'demo-server-0' }] })),
    );
    const { Tags } = await send(() =>
      client.send(new DescribeTagsCommand({ Filters: [{ Name: 'key', Values: ['Name'] }] })),
    );
    expect(Tags).toEqual([{ Key: 'Name', Value: 'demo-server-0', ResourceId: InstanceId, ResourceType: 'instance' }]);
    await expect(
      send(() =>
        client.send(new CreateTagsCommand({ Resources: ['i-0123456789abcdef0'], Tags: [{ Key: 'a', Value: 'b' }] })),
      ),
    ).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
  });
});

describe('a termination', () => {
  const terminate = ({ client, send }: Fixture, InstanceId: string) =>
    send(() => client.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] })));

  it('kills the machine, frees everything it held, and stays describable for an hour', async () => {
    const fixture = await ec2Fixture();
    const { world, host, client, send, ec2 } = fixture;
    const { InstanceId } = await fixture.launch();
    await world.clock.advance(2 * MINUTE);
    const answer = await terminate(fixture, InstanceId!);
    expect(answer.TerminatingInstances).toMatchObject([
      { InstanceId, PreviousState: { Name: 'running' }, CurrentState: { Name: 'shutting-down' } },
    ]);
    expect(host.killed).toEqual([InstanceId]);
    expect(ec2.machine(InstanceId!)).toBeUndefined();
    await world.clock.advance(3 * MINUTE);
    const [instance] = await described(fixture, { InstanceIds: [InstanceId!] });
    expect(instance).toMatchObject({
      State: { Name: 'terminated', Code: 48 },
      StateReason: { Code: 'Client.UserInitiatedShutdown' },
      StateTransitionReason: expect.stringContaining('User initiated'),
    });
    expect(instance?.PrivateIpAddress).toBeUndefined();
    expect(host.erased).toEqual([InstanceId]);
    expect((await send(() => client.send(new DescribeVolumesCommand({})))).Volumes).toEqual([]);
    expect((await send(() => client.send(new DescribeNetworkInterfacesCommand({})))).NetworkInterfaces).toEqual([]);
    await terminate(fixture, InstanceId!);
    await world.clock.advance(60 * MINUTE);
    await expect(described(fixture, { InstanceIds: [InstanceId!] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
  });

  it('of a pending instance never lets it boot', async () => {
    const fixture = await ec2Fixture();
    const { InstanceId } = await fixture.launch();
    await terminate(fixture, InstanceId!);
    await fixture.world.clock.advance(5 * MINUTE);
    expect(fixture.host.booted).toEqual([]);
    expect(fixture.ec2.instance(InstanceId!)?.state).toBe('terminated');
  });

  it('of several instances changes none when one does not exist', async () => {
    const fixture = await ec2Fixture();
    const { InstanceId } = await fixture.launch();
    const both = new TerminateInstancesCommand({ InstanceIds: [InstanceId!, 'i-0123456789abcdef0'] });
    await expect(fixture.send(() => fixture.client.send(both))).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
    expect(fixture.ec2.instance(InstanceId!)?.state).toBe('pending');
  });
});

describe('stopping, starting and rebooting', () => {
  it('keep the instance, its address and its disk', async () => {
    const { launch, world, host, client, send, ec2 } = await ec2Fixture();
    const { InstanceId } = await launch();
    const InstanceIds = [InstanceId!];
    await expect(send(() => client.send(new StopInstancesCommand({ InstanceIds })))).rejects.toMatchObject({
      name: 'IncorrectInstanceState',
    });
    await world.clock.advance(2 * MINUTE);
    await send(() => client.send(new StopInstancesCommand({ InstanceIds })));
    await world.clock.advance(3 * MINUTE);
    expect(ec2.instance(InstanceId!)).toMatchObject({ state: 'stopped', privateIp: '127.77.3.10' });
    await send(() => client.send(new StartInstancesCommand({ InstanceIds })));
    await world.clock.advance(2 * MINUTE);
    await send(() => client.send(new RebootInstancesCommand({ InstanceIds })));
    await world.clock.advance(MINUTE);
    expect(ec2.instance(InstanceId!)?.state).toBe('running');
    expect(host.booted.map(({ instanceId, privateIp }) => [instanceId, privateIp])).toEqual([
      [InstanceId, '127.77.3.10'],
      [InstanceId, '127.77.3.10'],
      [InstanceId, '127.77.3.10'],
    ]);
    expect(host.killed).toHaveLength(2);
    expect(host.erased).toEqual([]);
  });
});

describe('the status check', () => {
  it('passes two minutes after the launch and notices a hanging kernel after three', async () => {
    const { launch, world, client, send, ec2, host } = await ec2Fixture();
    const { InstanceId } = await launch();
    const status = async () => {
      const answer = await send(() =>
        client.send(new DescribeInstanceStatusCommand({ InstanceIds: [InstanceId!], IncludeAllInstances: true })),
      );
      return answer.InstanceStatuses![0]!.InstanceStatus!.Status;
    };
    expect(await status()).toBe('not-applicable');
    await world.clock.advance(MINUTE);
    expect(await status()).toBe('initializing');
    await world.clock.advance(2 * MINUTE);
    expect(await status()).toBe('ok');
    ec2.freeze(InstanceId!);
    expect(host.frozen).toEqual([InstanceId]);
    await world.clock.advance(2 * MINUTE);
    expect(await status()).toBe('ok');
    await world.clock.advance(2 * MINUTE);
    expect(await status()).toBe('impaired');
  });
});
