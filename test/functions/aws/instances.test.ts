import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  EC2Client,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { Instances } from '../../../functions/aws/instances';
import { createEndpoint } from '../../../local/wire/endpoint';
import { ec2Fixture } from '../../local/aws/ec2/fixture';
import { clientConfig, sender } from '../../support/sdk';

const failing = (name: string) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } });

describe('instances, as EC2 answers', () => {
  const ec2 = mockClient(EC2Client);
  const instances = new Instances({ region: 'eu-west-3' }, 'demo');
  beforeEach(() => ec2.reset());
  afterAll(() => ec2.restore());

  it('come from every page, with what their tags say', async () => {
    const Tags = [
      { Key: 'k3s:cluster', Value: 'demo' },
      { Key: 'k3s:role', Value: 'server' },
      { Key: 'k3s:slot', Value: '2' },
      { Key: 'k3s:generation', Value: '7' },
    ];
    ec2
      .on(DescribeInstancesCommand)
      .resolvesOnce({ Reservations: [{ Instances: [{ InstanceId: 'i-1', Tags }] }], NextToken: 'more' })
      .resolvesOnce({
        Reservations: [{ Instances: [{ InstanceId: 'i-2', Tags: Tags.slice(0, 2), State: { Name: 'running' } }] }],
      });
    expect(await instances.byTag()).toEqual([
      expect.objectContaining({ instanceId: 'i-1', state: 'unknown', tags: { slot: 2, generation: 7 } }),
      expect.objectContaining({ instanceId: 'i-2', state: 'running', tags: null }),
    ]);
    expect(ec2.commandCalls(DescribeInstancesCommand)[1]!.args[0].input).toEqual({
      Filters: [
        { Name: 'tag:k3s:cluster', Values: ['demo'] },
        { Name: 'tag:k3s:role', Values: ['server'] },
      ],
      NextToken: 'more',
    });
  });

  it.each([
    ['ok', 'ok', 'ok'],
    ['ok', 'impaired', 'impaired'],
    ['initializing', 'ok', 'initializing'],
    ['insufficient-data', 'ok', 'unknown'],
  ] as const)('with checks %s and %s are %s', async (instance, system, verdict) => {
    ec2.on(DescribeInstanceStatusCommand).resolves({
      InstanceStatuses: [{ InstanceId: 'i-1', InstanceStatus: { Status: instance }, SystemStatus: { Status: system } }],
    });
    expect(await instances.statusChecks(['i-1'])).toEqual(new Map([['i-1', verdict]]));
  });

  it('that are gone already count as terminated', async () => {
    ec2.on(TerminateInstancesCommand).rejects(failing('InvalidInstanceID.NotFound'));
    await instances.terminate('i-1');
  });

  it('that may not be terminated are an error', async () => {
    ec2.on(TerminateInstancesCommand).rejects(failing('UnauthorizedOperation'));
    await expect(instances.terminate('i-1')).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  });
});

describe('instances of the embedded EC2', () => {
  async function start() {
    const fixture = await ec2Fixture();
    const { world } = fixture;
    const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/LaunchServer/test');
    const run = sender(world.clock, caller);
    const instances = new Instances(clientConfig(world, createEndpoint(world, [fixture.ec2]), caller), 'demo');
    const request = {
      launchTemplate: fixture.template.ref,
      launchTemplateVersion: '1',
      subnetId: fixture.subnets[1]!,
      instanceType: 't4g.medium',
      clientToken: 'token-1',
      slot: 1,
      generation: 4,
    };
    return { ...fixture, instances, run, request };
  }

  it('are tagged from birth, with their volumes and interfaces, in the zone of their subnet', async () => {
    const { instances, run, request, ec2 } = await start();
    const machine = await run(() => instances.launch(request));
    expect(machine).toMatchObject({
      state: 'pending',
      tags: { slot: 1, generation: 4 },
      instanceType: 't4g.medium',
      availabilityZone: 'eu-west-3b',
    });
    expect(Object.fromEntries(ec2.instance(machine.instanceId)!.tags)).toMatchObject({
      'k3s:cluster': 'demo',
      'k3s:slot': '1',
      'k3s:generation': '4',
      'k3s:role': 'server',
      Name: 'demo-server-1',
    });
    expect(await run(() => instances.zoneOf(request.subnetId))).toBe('eu-west-3b');
  });

  it('are the same for the same client token', async () => {
    const { instances, run, request } = await start();
    const first = await run(() => instances.launch(request));
    const second = await run(() => instances.launch(request));
    expect(second.instanceId).toBe(first.instanceId);
  });

  it('are found by tag and by id, and only those that exist', async () => {
    const { instances, run, request, world } = await start();
    const { instanceId } = await run(() => instances.launch(request));
    await world.clock.advance(60_000);
    expect(await run(() => instances.byTag())).toMatchObject([{ instanceId, state: 'running' }]);
    expect(await run(() => instances.byId([instanceId, 'i-0123456789abcdef0']))).toMatchObject([{ instanceId }]);
    expect(await run(() => instances.find('i-0123456789abcdef0'))).toBeNull();
  });

  it('end when they are terminated, twice if need be', async () => {
    const { instances, run, request, world } = await start();
    const { instanceId } = await run(() => instances.launch(request));
    await world.clock.advance(60_000);
    await run(() => instances.terminate(instanceId));
    await world.clock.advance(300_000);
    await run(() => instances.terminate(instanceId));
    expect(await run(() => instances.find(instanceId))).toMatchObject({ state: 'terminated' });
  });
});
