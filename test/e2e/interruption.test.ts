import { bootTest, closeAll, type TestCluster } from '../support/embedded';
import { expectHealthy, expectNoDuplicate } from '../support/expectations';

afterEach(closeAll);

/** Leases are taken over after this many seconds. */
const STALE_SECONDS = 60;

describe('an execution that is stopped half-way', () => {
  it.each([
    ['while it launches', 'LaunchServer', 1],
    ['while instances boot', 'AwaitRunning', 2],
    ['after it has latched which server initialises', 'StartServerInit', 0],
    ['while the first server initialises', 'CheckStartServerInit', 4],
    ['before it notes that the cluster is initialised', 'CompleteInit', 0],
    ['while the second server joins', 'CheckStartServer', 10],
    ['while it applies', 'CheckApplyManifests', 1],
    ['while targets become healthy', 'AwaitTargets', 0],
    ['before it releases the lease', 'PublishEvent', 0],
  ])('%s is continued by the next, without another instance', async (_, state, seconds) => {
    const cluster = await bootTest({ healer: false });
    const stopped = await cluster.start('cluster');
    await cluster.enters(state);
    await cluster.pass(seconds);
    await cluster.stop(stopped);
    const next = await cluster.create();
    expect(next).toMatchObject({ status: 'SUCCEEDED', output: { status: 'converged' } });
    expect(next.seconds).toBeGreaterThanOrEqual(STALE_SECONDS);
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('again and again is continued all the same', async () => {
    const cluster = await bootTest({ healer: false });
    for (const seconds of [1, 5, 40, 40, 40]) {
      const stopped = await cluster.start('cluster');
      await cluster.enters('Decide');
      await cluster.pass(seconds);
      await cluster.stop(stopped);
    }
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('leaves a command behind that is cancelled before anybody else acts', async () => {
    const cluster = await bootTest({ healer: false });
    // Longer than the stale wait: the script waits for K3s all that time.
    cluster.slow('k3s.start-first', 130);
    const stopped = await cluster.start('cluster');
    await cluster.enters('CheckStartServerInit');
    await cluster.pass(20);
    await cluster.stop(stopped);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    const order = cluster.calls.filter(({ error }) => error === undefined).map(({ operation }) => operation);
    expect(order.indexOf('CancelCommand')).toBeGreaterThan(0);
    expect(order.indexOf('CancelCommand')).toBeLessThan(order.lastIndexOf('SendCommand'));
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });
});

/** Starts a creation and lets time pass until the predicate holds. */
async function until(cluster: TestCluster, predicate: () => boolean): Promise<string> {
  const creation = await cluster.start('cluster');
  await cluster.becomes(predicate);
  return creation;
}

describe('the first server', () => {
  it.each([
    ['before K3s has started', 'StartServerInit'],
    ['while K3s starts', 'CheckStartServerInit'],
  ])('dying %s is replaced, and another one initialises', async (_, state) => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters(state);
    const victim = (await cluster.initialiser()).instanceId;
    expect(cluster.state.members).toEqual([]);
    await cluster.terminate(victim);
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.living).toHaveLength(3);
    expect(cluster.living.map(({ instanceId }) => instanceId)).not.toContain(victim);
  });

  it('dying after K3s has started, before anybody joined, is replaced: its cluster died with it', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await until(cluster, () => cluster.state.members.length === 1);
    const victim = (await cluster.initialiser()).instanceId;
    expect(await cluster.item('cluster')).toMatchObject({ phase: { S: 'initialising' } });
    await cluster.terminate(victim);
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.living).toHaveLength(3);
  });

  it('dying after it was noted as initialised is a loss that is reported, not repaired by a new cluster', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters('JoinServers');
    await cluster.terminate((await cluster.initialiser()).instanceId);
    const { status, error, cause } = await cluster.ended(creation);
    expect(status).toBe('FAILED');
    expect(`${error} ${cause}`).toMatch(/Refused .*a majority may be lost, nothing is done/);
    expect(cluster.state.members.filter(({ running }) => running)).toEqual([]);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expect(cluster.servers.map(({ ready, etcdVoter }) => ready && etcdVoter)).toEqual([true, true, true]);
  });

  it('dying in the hands of a stopped execution is replaced by the next one', async () => {
    const cluster = await bootTest({ healer: false });
    const stopped = await until(cluster, () => cluster.state.members.length === 1);
    await cluster.terminate((await cluster.initialiser()).instanceId);
    await cluster.stop(stopped);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
  });
});

describe('a joiner', () => {
  it('dying before its member was added is replaced', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters('CheckStartServer');
    expect(cluster.state.members).toHaveLength(1);
    const first = await cluster.initialiser();
    const joiner = cluster.servers.find(({ instanceId }) => instanceId !== first.instanceId);
    await cluster.terminate(joiner?.instanceId ?? '');
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.living).toHaveLength(3);
  });

  it('dying as a learner is removed from etcd and replaced', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await until(cluster, () => cluster.state.members.some(({ learner }) => learner));
    const learner = cluster.state.members.find((member) => member.learner);
    const victim = cluster.servers.find(({ privateIp }) => privateIp === learner?.address);
    await cluster.terminate(victim?.instanceId ?? '');
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.living).toHaveLength(3);
  });

  it('dying as the last of three voters, before its Node is Ready, is removed and replaced', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await until(cluster, () => cluster.state.members.filter(({ learner }) => !learner).length === 3);
    const last = cluster.servers.find(({ ready }) => !ready);
    await cluster.terminate(last?.instanceId ?? '');
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expect(cluster.living).toHaveLength(3);
  });
});
