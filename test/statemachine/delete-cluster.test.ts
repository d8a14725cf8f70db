import { id, World } from '../functions/cluster/world';
import { Cloud } from './cloud';

const INPUT = { confirm: 'demo' };

describe('a deletion', () => {
  it('deregisters, terminates, waits and forgets every server, then completes', async () => {
    const cloud = new Cloud(World.healthy());
    const { outcome, calls } = await cloud.run('delete-cluster', INPUT);
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted', changed: true } });
    expect(cloud.world.observation.instances).toEqual([]);
    expect(cloud.world.observation.cluster.desired).toBe('absent');
    expect(cloud.holder).toBeNull();
    const order = calls.map(({ fn }) => fn);
    expect(order.slice(0, 3)).toEqual(['AcquireLease', 'MarkAbsent', 'ListServers']);
    expect(order.slice(-2)).toEqual(['CompleteDeletion', 'ReleaseLease']);
  });

  it('works on a half built cluster', async () => {
    const cloud = new Cloud(World.empty().boot(0).boot(2, 1, { inventoried: false }));
    expect((await cloud.run('delete-cluster', INPUT)).outcome.status).toBe('SUCCEEDED');
    expect(cloud.world.observation.instances).toEqual([]);
  });

  it('of nothing succeeds', async () => {
    expect((await new Cloud(World.empty()).run('delete-cluster', INPUT)).outcome).toMatchObject({
      status: 'SUCCEEDED',
      output: { changed: false },
    });
  });

  it('can be repeated, and followed by a creation', async () => {
    const cloud = new Cloud(World.healthy());
    expect((await cloud.run('delete-cluster', INPUT)).outcome.status).toBe('SUCCEEDED');
    expect((await cloud.run('delete-cluster', INPUT)).outcome.status).toBe('SUCCEEDED');
    cloud.world.observation.cluster.desired = 'present';
    cloud.world.observation.view = null;
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
  });

  it('waits for the execution that holds the lease', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.holder = 'execution-x#0';
    cloud.workflows.clock.after(100_000, () => {
      cloud.holder = null;
    });
    const { outcome, seconds } = await cloud.run('delete-cluster', INPUT);
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted' } });
    expect(seconds).toBeGreaterThanOrEqual(100);
  });

  it('fails rather than pretend when the lease is never free', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.holder = 'execution-x#0';
    expect((await cloud.run('delete-cluster', INPUT)).outcome).toEqual({
      status: 'FAILED',
      error: 'LeaseUnavailable',
      cause: 'AcquireLease: execution-x#0 is at work',
    });
    expect(cloud.holder).toBe('execution-x#0');
  });

  it('without the cluster’s name is refused', async () => {
    const cloud = new Cloud(World.healthy()).fail('AcquireLease', 'InvalidInput', 'confirm: must be "demo"');
    expect((await cloud.run('delete-cluster', { confirm: 'other' })).outcome).toEqual({
      status: 'FAILED',
      error: 'InvalidInput',
      cause: 'AcquireLease: confirm: must be "demo"',
    });
  });

  it('that fails for one server deletes the others and fails', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.fail('TerminateServer', 'UnauthorizedOperation', 'denied', 9, ({ instanceId }) => instanceId === id(1));
    expect((await cloud.run('delete-cluster', INPUT)).outcome).toEqual({
      status: 'FAILED',
      error: 'UnauthorizedOperation',
      cause: `DeleteServers: server-1 ${id(1)}: TerminateServer: denied`,
    });
    expect(cloud.world.observation.instances.map(({ instanceId }) => instanceId)).toEqual([id(1)]);
    expect(cloud.holder).toBeNull();
  });

  it('looks again for leftovers, and fails when they stay', async () => {
    const cloud = new Cloud(World.healthy()).fail('CompleteDeletion', 'LeftoversFound', `${id(1)}`, 3);
    expect((await cloud.run('delete-cluster', INPUT)).outcome.status).toBe('SUCCEEDED');
    cloud.fail('CompleteDeletion', 'LeftoversFound', `instance ${id(1)}`, 99);
    expect((await cloud.run('delete-cluster', INPUT)).outcome).toEqual({
      status: 'FAILED',
      error: 'LeftoversFound',
      cause: `CompleteDeletion: instance ${id(1)}`,
    });
  });

  it('survives throttling on any call', async () => {
    const cloud = new Cloud(World.healthy());
    for (const fn of Object.keys(cloud.answers)) cloud.fail(fn, 'Throttled', 'rate exceeded', 2);
    expect((await cloud.run('delete-cluster', INPUT)).outcome.status).toBe('SUCCEEDED');
  });
});
