import { RebootInstancesCommand } from '@aws-sdk/client-ec2';
import { DEFAULT_INSTANCE_TYPES } from '../../infra/defaults';
import { bootTest, closeAll } from '../support/embedded';
import { expectHealthy, expectNoDuplicate } from '../support/expectations';

afterEach(closeAll);

const [FIRST, SECOND, THIRD] = DEFAULT_INSTANCE_TYPES.x86_64;

describe('capacity', () => {
  it('that a zone lacks for the preferred type is found in the next type', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ec2.setCapacity('eu-west-3b', FIRST, false);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
    expect(cluster.typeOf(cluster.server(0).instanceId)).toBe(FIRST);
    expect(cluster.typeOf(cluster.server(1).instanceId)).toBe(SECOND);
  });

  it('of a type that a zone does not offer at all is found in the next type', async () => {
    const cluster = await bootTest({ healer: false });
    for (const type of [FIRST, SECOND]) cluster.aws.services.ec2.setOffered('eu-west-3c', type, false);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.typeOf(cluster.server(2).instanceId)).toBe(THIRD);
  });

  it('that a zone lacks for every type fails the execution, naming zone, types and what EC2 said', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ec2.setCapacity('eu-west-3b', '*', false);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'CapacityUnavailable' });
    expect(cause).toMatch(/^LaunchServers: server-1: LaunchServer: server-1 in eu-west-3b: tried/);
    for (const type of [FIRST, SECOND, THIRD]) expect(cause).toContain(`${type} (InsufficientInstanceCapacity: `);
    expect(cluster.living).toHaveLength(2);
    expect((await cluster.item('lease'))?.holder).toBeUndefined();
  });

  it('that is lacking leaks nothing: a deletion afterwards leaves no instance', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ec2.setCapacity('eu-west-3b', '*', false);
    await cluster.create();
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.living).toEqual([]);
  });

  it('that has come back is used by the next execution, with the machines that are there', async () => {
    const cluster = await bootTest({ healer: false });
    const { ec2 } = cluster.aws.services;
    ec2.setCapacity('eu-west-3b', '*', false);
    await cluster.create();
    ec2.setCapacity('eu-west-3b', '*', true);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });
});

describe('an instance', () => {
  it('that reads do not show for a while after its launch is waited for, not launched again', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ec2.setDescribeLag(25_000);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('that ends while it boots is replaced in the next round', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters('AwaitRunning', 3);
    const [victim] = cluster.launched;
    await cluster.terminate(victim?.instanceId ?? '');
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 2 } });
    expectHealthy(cluster);
    expect(cluster.launched).toHaveLength(4);
  });

  it.each([
    ['it boots', 'RegisterTargetsEarly', 3],
    ['the first server starts', 'StartServerInit', 1],
    ['the second server joins', 'StartServer', 1],
  ])('that is stopped while %s is replaced by one execution, after the dwell', async (_, state, nth) => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters(state, nth);
    const { instanceId } = cluster.server(2);
    cluster.aws.incidents.inject({ kind: 'stop', instanceId });
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.launched).toHaveLength(4);
  });

  it('of each slot that is stopped while it boots is replaced, one beside its predecessor at a time', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters('BeginInit');
    const living: number[] = [];
    cluster.aws.services.ec2.onState((_, state) => {
      if (state === 'pending') living.push(cluster.living.length);
    });
    for (const { instanceId } of cluster.launched) cluster.aws.incidents.inject({ kind: 'stop', instanceId });
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 3 } });
    expectHealthy(cluster);
    expect(living).toEqual([4, 2, 3]);
  });

  it('that is rebooted in the middle of its user data, which then never finishes, is replaced', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.slow('download.k3s', 60);
    const creation = await cluster.start('cluster');
    await cluster.enters('RegisterTargetsEarly', 3);
    const { instanceId } = cluster.server(2);
    await cluster.send(() => cluster.ec2.send(new RebootInstancesCommand({ InstanceIds: [instanceId] })));
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 2 } });
    expectHealthy(cluster);
    expect(cluster.launched).toHaveLength(4);
  });

  it('that is pending for ever fails the execution, saying so', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.slow('ec2.pending-to-running', 7200);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'ServerNotYet' });
    expect(cause).toMatch(/i-[0-9a-f]+ is pending/);
  });
});

describe('an SSM agent', () => {
  it('that comes online after minutes is waited for', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.slow('ssm.agent-online', 240);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
  });

  it('that never comes online on one machine has the machine replaced', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ssm.neverRegister(
      (_, tags) => tags.get('Name') === 'demo-server-1' && tags.get('k3s:generation') === '1',
    );
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.launched).toHaveLength(4);
    expect(cluster.living).toHaveLength(3);
  });

  it('that never comes online on the machine that was to initialise has the machine replaced', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ssm.neverRegister(
      (_, tags) => tags.get('Name') === 'demo-server-0' && tags.get('k3s:generation') === '1',
    );
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.living).toHaveLength(3);
  });

  it('that never comes online anywhere fails the execution, saying so', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.services.ssm.neverRegister(() => true);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'AgentOffline' });
    expect(cause).toMatch(/no agent is online yet on i-[0-9a-f]+/);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('a command', () => {
  it('sent before user data has finished is sent again until it has', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.slow('download.k3s', 150);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
    const sent = cluster.calls.filter(({ operation, error }) => operation === 'SendCommand' && error === undefined);
    expect(sent.length).toBeGreaterThan(8);
  });
});

describe('a lost reply', () => {
  // As many times as the SDK and the function together do not get an answer, and once more.
  it.each([1, 4, 9])('to RunInstances, %i times, launches no instance twice', async (times) => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall('ec2', 'RunInstances', { kind: 'lost-reply' }, { times });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('to RunInstances for ever is made up for by the tags of the instance', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall('ec2', 'RunInstances', { kind: 'lost-reply' });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('to SendCommand runs no script twice', async () => {
    const cluster = await bootTest({ healer: false });
    const isStart = (input: unknown) => JSON.stringify(input).includes('k3s-demo-StartServer');
    cluster.aws.world.faults.onCall('ssm', 'SendCommand', { kind: 'lost-reply' }, { times: 1, when: isStart });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    const starts = cluster.calls.filter(
      ({ operation, input, error }) => operation === 'SendCommand' && error === undefined && isStart(input),
    );
    expect(starts).toHaveLength(3);
  });

  it.each([
    ['dynamodb', 'UpdateItem', 5],
    ['elasticloadbalancing', 'RegisterTargets', 6],
    ['secretsmanager', 'GetSecretValue', 2],
  ])('to %s %s changes nothing about the result', async (service, operation, times) => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall(service, operation, { kind: 'lost-reply' }, { times });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('to any write of the table, one after the other, launches no instance twice', async () => {
    const cluster = await bootTest({ healer: false });
    let write = 0;
    // Every second one, so that the SDK's next attempt meets what the first has done.
    const second = () => write++ % 2 === 0;
    cluster.aws.world.faults.onCall('dynamodb', 'UpdateItem', { kind: 'lost-reply' }, { when: second });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
  });

  it.each([
    ['ec2', 'TerminateInstances'],
    ['elasticloadbalancing', 'DeregisterTargets'],
  ])('to %s %s does not disturb a deletion', async (service, operation) => {
    const cluster = await bootTest({ healer: false });
    await cluster.create();
    cluster.aws.world.faults.onCall(service, operation, { kind: 'lost-reply' }, { times: 5 });
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.living).toEqual([]);
  });
});
