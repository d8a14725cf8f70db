import { bootTest, closeAll, type TestCluster } from '../support/embedded';
import { expectHealthy } from '../support/expectations';

afterEach(closeAll);

/** No instance, no target that could still get traffic, and soon none at all; an empty inventory; nothing is wanted. */
async function expectNothingLeft(cluster: TestCluster): Promise<void> {
  expect(cluster.living).toEqual([]);
  for (const slot of [0, 1, 2]) expect((await cluster.item(`slot/${slot}`))?.instances?.M ?? {}).toEqual({});
  expect(await cluster.item('cluster')).toMatchObject({ desired: { S: 'absent' }, phase: { S: 'uninitialised' } });
  expect((await cluster.item('lease'))?.holder).toBeUndefined();
  await cluster.pass(400);
  expect(cluster.state.targetGroups.flatMap(({ targets }) => targets)).toEqual([]);
}

describe('the delete workflow', () => {
  it('leaves nothing: no instance, no target, no inventory, no wish', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const servers = cluster.servers.map(({ slot, instanceId }) => ({ slot, instanceId }));
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted', servers } });
    await expectNothingLeft(cluster);
  });

  it.each([
    ['another name', { confirm: 'prod' }, 'confirm: must be the name of the cluster, "demo", is "prod"'],
    ['no name', {}, 'confirm: Invalid input: expected string, received undefined'],
    ['an unknown field', { confirm: 'demo', force: true }, 'force: is not a known field'],
  ])('given %s is refused, naming the field, and touches nothing', async (_, input, message) => {
    const cluster = await bootTest();
    const { status, error, cause } = await cluster.run('delete', input);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
    expect(cause).toContain('AcquireLease: ');
    expect(cause).toContain(message);
    expect(cluster.calls).toEqual([]);
  });

  it('has nothing to do where nothing was ever created', async () => {
    const cluster = await bootTest();
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted', servers: [] } });
    await expectNothingLeft(cluster);
  });

  it('is followed by a creation at once, with new servers and a new cluster', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const before = cluster.servers;
    const former = await cluster.item('cluster');
    await cluster.delete();
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    const [http] = cluster.state.targetGroups;
    expect(http?.healthy).toBe(3);
    expect(cluster.servers.map(({ ready, etcdVoter }) => ready && etcdVoter)).toEqual([true, true, true]);
    const ids = new Set([...before, ...cluster.servers].map(({ instanceId }) => instanceId));
    expect(ids.size).toBe(6);
    const record = await cluster.item('cluster');
    expect(record?.incarnation).not.toEqual(former?.incarnation);
    expect(record?.caHash).not.toEqual(former?.caHash);
  });

  it('started twice deletes once, and both succeed', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const arns = [
      await cluster.start('delete', { confirm: 'demo' }),
      await cluster.start('delete', { confirm: 'demo' }),
    ];
    const ends = [];
    for (const arn of arns) ends.push(await cluster.ended(arn));
    expect(ends.map(({ status, output }) => `${status} ${output?.status}`)).toEqual(Array(2).fill('SUCCEEDED deleted'));
    expect(ends.map(({ output }) => output.servers.length).sort()).toEqual([0, 3]);
    expect(cluster.calls.filter(({ operation }) => operation === 'TerminateInstances')).toHaveLength(3);
    await expectNothingLeft(cluster);
  });

  it('waits for a creation that runs, then deletes what it has built', async () => {
    const cluster = await bootTest();
    const creation = await cluster.start('cluster');
    await cluster.enters('JoinServers');
    const deletion = await cluster.start('delete', { confirm: 'demo' });
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await cluster.ended(deletion)).toMatchObject({ status: 'SUCCEEDED' });
    await expectNothingLeft(cluster);
  });

  it.each(['LaunchServer', 'CheckStartServerInit', 'CheckStartServer'])(
    'works on a cluster whose creation was stopped in %s',
    async (state) => {
      const cluster = await bootTest();
      const creation = await cluster.start('cluster');
      await cluster.enters(state);
      await cluster.pass(2);
      await cluster.stop(creation);
      expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted' } });
      await expectNothingLeft(cluster);
    },
  );

  it('finds an instance that only its tags know', async () => {
    const cluster = await bootTest();
    // The reply is lost and the execution is stopped before anybody could ask again: the inventory does not know it.
    cluster.aws.world.faults.onCall('ec2', 'RunInstances', { kind: 'lost-reply' });
    const creation = await cluster.start('cluster');
    await cluster.becomes(() => cluster.launched.length === 3);
    await cluster.stop(creation);
    cluster.aws.world.faults.clear();
    expect((await cluster.item('slot/0'))?.instances?.M).toEqual({});
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    await expectNothingLeft(cluster);
  });

  it('stopped half-way is finished by another', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const first = await cluster.start('delete', { confirm: 'demo' });
    await cluster.enters('AwaitTerminated', 2);
    await cluster.stop(first);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    await expectNothingLeft(cluster);
  });

  it('stopped half-way is not undone by a creation before it is finished', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const first = await cluster.start('delete', { confirm: 'demo' });
    await cluster.enters('AwaitTerminated', 3);
    await cluster.stop(first);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Refused' });
    expect(cause).toContain('will not be initialised twice');
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.servers.every(({ etcdVoter }) => etcdVoter)).toBe(true);
  });
});

describe('deleting the stack', () => {
  it('is refused while an instance exists, naming it and the way out', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const { instanceId } = cluster.server(1);
    const refusal = await cluster.clock.until(
      cluster.aws.stack.requestDeletion().catch((error: Error) => error.message),
    );
    expect(refusal).toContain(instanceId);
    expect(refusal).toContain('Start the delete workflow with {"confirm":"demo"} first');
    expectHealthy(cluster);
  });

  it('is allowed before a creation and after a deletion', async () => {
    const cluster = await bootTest();
    await cluster.clock.until(cluster.aws.stack.requestDeletion());
    await cluster.create();
    await cluster.delete();
    await cluster.clock.until(cluster.aws.stack.requestDeletion());
  });
});
