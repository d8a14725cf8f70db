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
  ['ssm', 'DescribeInstanceInformation', 'Throttled'],
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

/** That people cannot be told is no failure of the cluster. */
const TELLING = ['events', 'PutEvents'] as const;

/** The kubelet's own, for the echo image: image.test.ts breaks that chain at each link. */
const PULLING = 'ecr ';

/** More than the SDK's own attempts, so that the workflow has to try again. */
const A_FEW = 6;

it('is tested on every operation that is called', async () => {
  const cluster = await bootTest({ healer: false });
  const called = () =>
    [...new Set(cluster.calls.map(({ service, operation }) => `${service} ${operation}`))]
      .filter((operation) => operation !== TELLING.join(' ') && !operation.startsWith(PULLING))
      .sort();
  await cluster.create();
  expect(called()).toEqual(CREATION.map(([service, operation]) => `${service} ${operation}`).sort());
  cluster.calls.length = 0;
  await cluster.delete();
  expect(called()).toEqual(DELETION.map(([service, operation]) => `${service} ${operation}`).sort());
});

describe('throttling a few times', () => {
  it('of every operation in turn only delays a creation', async () => {
    const cluster = await bootTest({ healer: false });
    for (const [service, operation] of CREATION) {
      cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' }, { times: A_FEW });
    }
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
    for (const [service, operation] of CREATION) {
      const calls = cluster.calls.filter((call) => call.service === service && call.operation === operation);
      expect(calls.filter(({ error }) => error && /Throttl|Limit|Throughput|SlowDown/.test(error))).toHaveLength(A_FEW);
    }
  });

  it('of everything at once, one call in three, only delays a creation and a deletion', async () => {
    const cluster = await bootTest({ healer: false });
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
    const cluster = await bootTest({ healer: false });
    await cluster.create();
    for (const [service, operation] of DELETION) {
      cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' }, { times: A_FEW });
    }
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted' } });
    expect(cluster.living).toEqual([]);
  });
});

describe('throttling for ever', () => {
  it('of what tells people about it does not fail a creation', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall(...TELLING, { kind: 'throttle' });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
  });

  it.each(CREATION)('of %s %s fails a creation with %s and the reason', async (service, operation, name) => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall(service, operation, { kind: 'throttle' });
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: name });
    expect(cause).toContain(operation);
    expect(cause).toMatch(/was throttled|Rate exceeded|SlowDown|\(503\)/);
  });

  it.each(DELETION)('of %s %s fails a deletion with the reason', async (service, operation) => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters('BeginInit');
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
