import { bootTest, closeAll } from '../support/embedded';
import { expectHealthy, expectNoDuplicate } from '../support/expectations';

afterEach(closeAll);

/**
 * What the functions and nodes call while a cluster is created, and what the creation fails with when it is throttled
 * for ever: a read that only observes is waited for, and a script tries again. The first test says whether the list is
 * complete.
 */
const CREATION = [
  ['dynamodb', 'GetItem', 'Throttled'],
  ['dynamodb', 'UpdateItem', 'Throttled'],
  ['ec2', 'DescribeInstances', 'Throttled'],
  ['ec2', 'DescribeInstanceStatus', 'NotConverged'],
  ['ec2', 'RunInstances', 'Throttled'],
  ['elasticloadbalancing', 'DescribeTargetHealth', 'Throttled'],
  ['elasticloadbalancing', 'RegisterTargets', 'Throttled'],
  ['s3', 'GetObject', 'TryAgain'],
  ['s3', 'HeadObject', 'TryAgain'],
  ['secretsmanager', 'GetSecretValue', 'TryAgain'],
  ['ssm', 'DescribeInstanceInformation', 'NotConverged'],
  ['ssm', 'GetCommandInvocation', 'Throttled'],
  ['ssm', 'ListCommands', 'Throttled'],
  ['ssm', 'SendCommand', 'Throttled'],
] as const;

const DELETION = [
  ['dynamodb', 'GetItem'],
  ['dynamodb', 'UpdateItem'],
  ['ec2', 'DescribeInstances'],
  ['ec2', 'TerminateInstances'],
  ['elasticloadbalancing', 'DeregisterTargets'],
  ['elasticloadbalancing', 'DescribeTargetHealth'],
  ['ssm', 'ListCommands'],
] as const;

/** More than the SDK's own attempts, so that the workflow has to try again. */
const A_FEW = 6;

it('is tested on every operation that is called', async () => {
  const cluster = await bootTest();
  const called = () => [...new Set(cluster.calls.map(({ service, operation }) => `${service} ${operation}`))].sort();
  await cluster.create();
  expect(called()).toEqual(CREATION.map(([service, operation]) => `${service} ${operation}`).sort());
  cluster.calls.length = 0;
  await cluster.delete();
  expect(called()).toEqual(DELETION.map(([service, operation]) => `${service} ${operation}`).sort());
});

describe('throttling a few times', () => {
  it.each(CREATION)('of %s %s only delays a creation', async (service, operation) => {
    const cluster = await bootTest();
    cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' }, { times: A_FEW });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('of everything at once, one call in three, only delays a creation and a deletion', async () => {
    const cluster = await bootTest();
    const random = cluster.aws.world.random.fork('throttling');
    for (const service of new Set([...CREATION, ...DELETION].map(([name]) => name))) {
      cluster.aws.world.faults.onCall(service, '*', { kind: 'throttle' }, { when: () => random.next() < 0.33 });
    }
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.living).toEqual([]);
  });

  it('of every call of a deletion only delays it', async () => {
    const cluster = await bootTest();
    await cluster.create();
    for (const [service, operation] of DELETION) {
      cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' }, { times: A_FEW });
    }
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted' } });
    expect(cluster.living).toEqual([]);
  });
});

describe('throttling for ever', () => {
  it.each(CREATION)('of %s %s fails a creation with %s and the reason', async (service, operation, name) => {
    const cluster = await bootTest();
    cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' });
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: name });
    expect(cause).toContain(operation);
    expect(cause).toMatch(/was throttled|Rate exceeded|SlowDown|\(503\)/);
  });

  it.each(DELETION)('of %s %s fails a deletion with the reason', async (service, operation) => {
    const cluster = await bootTest();
    const creation = await cluster.start('cluster');
    await cluster.enters('AwaitTargets');
    await cluster.stop(creation);
    cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' });
    const { status, error, cause } = await cluster.delete();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Throttled' });
    expect(cause).toContain(`${operation} was throttled: `);
    cluster.aws.world.faults.clear();
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.living).toEqual([]);
  });
});
