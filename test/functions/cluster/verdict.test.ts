import { assess, mayHeal } from '../../../functions/cluster/verdict';
import { DWELL_MS, id, JOIN_MS, NOW, POLICY, VERSION, World } from './world';

const verdict = (world: World, policy = POLICY) => assess(world.observation, policy);
const action = (world: World) => verdict(world).action;

function suspected(): World {
  const world = World.healthy().suspect(1, ['API target unhealthy'], 0);
  world.instance(1).targets.api = 'unhealthy';
  return world;
}

/** Of the others, one says nothing. */
function unproven(): World {
  const world = World.healthy().hang(1);
  world.instance(2).report = null;
  return world;
}

function paused(world: World): World {
  world.observation.cluster.paused = true;
  return world;
}

function spent(world: World): World {
  for (const slot of [0, 1, 2]) world.left(slot, NOW - 1000 * (slot + 1));
  return world;
}

describe('nothing is done', () => {
  it('when every server is in service', () => {
    expect(verdict(World.healthy())).toMatchObject({ action: 'none', reason: '3 of 3 servers are in service' });
  });

  it('when only SSM has lost a server', () => {
    const world = World.healthy();
    Object.assign(world.instance(1), { agent: 'lost', report: null });
    expect(verdict(world)).toMatchObject({
      action: 'none',
      reason: `3 of 3 servers are in service; SSM has lost the agent of server-1 ${id(1)}, so that it takes no commands`,
      concern: { code: 'agent-lost', slot: 1, instanceId: id(1) },
    });
  });
});

describe('the cluster converges', () => {
  it('from nothing', () => {
    expect(verdict(World.empty())).toMatchObject({
      action: 'converge',
      reason: 'nothing exists: launch server-0, server-1, server-2; init 1, join 2; apply the manifests',
    });
  });

  it('after a termination, without dwell or second signal', () => {
    expect(verdict(World.healthy().terminate(1))).toMatchObject({
      action: 'converge',
      reason:
        `replace server-1 ${id(1)}, which is terminated ` +
        '(2 of the 2 voters left are proven healthy, a majority remains); launch server-1; apply the manifests',
    });
  });

  it('after two signals have agreed for the dwell time', () => {
    expect(verdict(World.healthy().hang(1, { forMs: DWELL_MS })).reason).toContain(
      `server-1 ${id(1)}, which has API target unhealthy and Node not Ready for 90 s`,
    );
  });

  it('after a server was stopped for the dwell time', () => {
    expect(action(World.healthy().stop(1, DWELL_MS))).toBe('converge');
  });

  it('by registering a suspect that is no target, and by nothing else: its second signal would never come', () => {
    const world = World.healthy().hang(1).suspect(1, ['Node not Ready'], 60_000);
    world.instance(1).targets = { http: 'unregistered', https: 'unregistered', api: 'unregistered' };
    world.observation.cluster.appliedManifests = null;
    expect(verdict(world)).toMatchObject({
      action: 'converge',
      plan: { launch: [], retire: [], start: [], register: [{ slot: 1, instanceId: id(1) }], apply: false },
    });
  });

  it('when two servers of five are terminated in different zones', () => {
    expect(action(World.healthy(5).terminate(1).terminate(2))).toBe('converge');
  });
});

describe('the orchestrator watches', () => {
  it('one signal, for ever so long', () => {
    const world = World.healthy().suspect(2, ['API target unhealthy'], 3_600_000);
    world.instance(2).targets.api = 'unhealthy';
    expect(verdict(world)).toMatchObject({
      action: 'watch',
      reason: `server-2 ${id(2)} has API target unhealthy for 3600 s: one signal of two`,
      recheckAfterSeconds: 20,
    });
  });

  it('two signals until the dwell time is over', () => {
    expect(verdict(World.healthy().hang(1, { forMs: 30_000 }))).toMatchObject({
      action: 'watch',
      recheckAfterSeconds: 60,
    });
  });

  it('a server that has still to recover, and launches a spare for it meanwhile', () => {
    const found = verdict(World.healthy().hang(1));
    expect(found).toMatchObject({
      action: 'watch',
      plan: { launch: [{ slot: 1 }], retire: [], start: [], apply: false },
    });
    expect(found.reason).toMatch(/for 0 s, to be replaced after 90 s; a spare for server-1 is launched meanwhile$/);
    expect(verdict(World.healthy().stop(1, 0)).plan.launch).toEqual([{ slot: 1, after: 1 }]);
  });

  it.each<[string, World, Partial<typeof POLICY>?]>([
    ['for one signal of two', suspected()],
    ['beside another', World.healthy().hang(1).boot(1, 2)],
    ['while another slot has one', World.healthy().hang(1).boot(2, 2)],
    ['for two servers at once', World.healthy(5).hang(1).hang(3)],
    ['that could not be told to join', unproven()],
    ['while healing is paused', paused(World.healthy().hang(1))],
    ['once the replacements of an hour are spent', spent(World.healthy().hang(1))],
    ['of another version of K3s', World.healthy().hang(1), { k3sVersion: 'v1.35.0+k3s1' }],
  ])('without a spare %s', (_, world, policy = {}) => {
    expect(verdict(world, { ...POLICY, ...policy }).plan.launch).toEqual([]);
  });

  it('and dismisses the spare when the suspicion is over', () => {
    const world = World.healthy().boot(1, 2);
    expect(verdict(world)).toMatchObject({
      action: 'converge',
      plan: { launch: [], retire: [{ instanceId: id(1, 2), kind: 'surplus' }] },
    });
  });

  it('and has the spare join when the dwell is over', () => {
    const world = World.healthy().boot(1, 2).hang(1, { forMs: DWELL_MS });
    expect(verdict(world)).toMatchObject({
      action: 'converge',
      plan: { launch: [], retire: [{ instanceId: id(1), kind: 'sick' }], start: [{ instanceId: id(1, 2) }] },
    });
  });

  it('a stopped server until the dwell time is over', () => {
    expect(action(World.healthy().stop(1, 30_000))).toBe('watch');
  });

  it('a machine that still boots', () => {
    const world = World.empty().boot(0).boot(1).boot(2, 1, { state: 'pending', privateIp: null, report: null });
    expect(verdict(world)).toMatchObject({ action: 'watch', recheckAfterSeconds: 5 });
  });

  it('when a server is dead and nothing speaks against another, which gives no proof either', () => {
    const world = World.healthy().terminate(1);
    world.instance(2).report = null;
    expect(verdict(world)).toMatchObject({ action: 'watch', reason: expect.stringContaining('waiting for proof') });
  });

  it('when nobody describes the cluster and nothing speaks against a majority', () => {
    expect(action(World.healthy().blindfold('ReportStatus: throttled'))).toBe('watch');
  });

  it('until every server receives traffic', () => {
    const world = World.healthy();
    world.instance(1).targets.http = 'initial';
    expect(verdict(world)).toMatchObject({ action: 'watch', reason: expect.stringContaining('http initial') });
  });

  it('when something could not be read, rather than to call it whole', () => {
    const world = World.healthy();
    world.instance(1).targets.http = 'unknown';
    world.observation.blind.push('targets of http: throttled');
    expect(action(world)).toBe('watch');
  });

  it('when a read failed, although everything that was read is well', () => {
    const world = World.healthy();
    world.observation.blind.push('EC2 status checks: throttled');
    expect(verdict(world)).toMatchObject({
      action: 'watch',
      reason: 'not everything could be observed (EC2 status checks: throttled)',
      concern: { code: 'nothing-observed' },
    });
  });
});

describe('the orchestrator refuses', () => {
  const refused = (world: World, reason: string, policy = POLICY) =>
    expect(verdict(world, policy)).toMatchObject({ action: 'refuse', reason: expect.stringContaining(reason) });

  it('when a second server is sick', () => {
    refused(
      World.healthy().terminate(1).hang(2),
      `but 2 of 3 voters are sick (server-1 ${id(1)}, server-2 ${id(2)}), and etcd can lose only 1 of 3`,
    );
  });

  it('when the one server that is sick is more than etcd can lose', () => {
    const world = World.healthy().vanish(2).forgetIn(2, { node: true, member: true }).hang(0, { forMs: DWELL_MS });
    refused(world, `but 1 of 2 voters is sick (server-0 ${id(0)}), and etcd can lose none of 2`);
  });

  it('when two servers of one zone are sick', () => {
    const world = World.healthy(5).hang(0, { forMs: DWELL_MS }).hang(3, { forMs: DWELL_MS });
    refused(world, 'both sick in eu-west-3a');
  });

  it('when nothing could be observed', () => {
    const world = World.healthy().blindfold('EC2 instances: throttled');
    for (const instance of world.observation.instances) instance.state = 'unknown';
    refused(world, 'nothing could be observed (EC2 instances: throttled)');
  });

  it('when nobody describes the cluster and a majority may be lost', () => {
    refused(World.healthy().terminate(1).terminate(2).blindfold(), 'only 1 of 3 may be alive');
  });

  it('when a majority may be lost, of which a machine in its user data is none', () => {
    const world = World.healthy().terminate(1).vanish(2).boot(2, 2);
    world.instance(2, 2).report!.k3s = 'preparing';
    world.instance(0).report = null;
    world.observation.view = null;
    refused(world, 'only 1 of 3 may be alive');
  });

  it('when an initialised cluster has lost every server, pointing at restore', () => {
    refused(World.healthy().terminate(0).terminate(1).terminate(2).blindfold(), 'restore it from a snapshot');
  });

  it('when only machines are left that have never joined', () => {
    const world = World.healthy().terminate(0).vanish(1).vanish(2).boot(1, 2).boot(2, 2);
    world.instance(2, 2).report!.k3s = 'preparing';
    world.observation.view = null;
    refused(world, 'restore it from a snapshot');
  });

  it('when an initialised cluster has no instance at all', () => {
    const world = World.healthy().vanish(0).vanish(1).vanish(2).blindfold();
    refused(world, 'will not be initialised twice');
  });

  it('when a cluster answers that the record does not know', () => {
    const world = World.healthy();
    world.observation.cluster.phase = { name: 'uninitialised' };
    refused(world, 'the record says that the cluster is uninitialised, but a K3s cluster with');
  });

  it('when something has joined an initialiser that is not done', () => {
    const world = World.healthy();
    world.observation.cluster.phase = { name: 'initialising', instanceId: id(0) };
    refused(world, 'will not be initialised twice');
  });

  it('when healing is paused, and says what it would do', () => {
    const world = World.healthy().terminate(1);
    world.observation.cluster.paused = true;
    refused(world, 'healing is paused; it would replace server-1');
  });

  it('when a new server would upgrade the cluster by accident', () => {
    refused(World.healthy().terminate(1), `runs K3s ${VERSION}`, { ...POLICY, k3sVersion: 'v1.35.0+k3s1' });
  });

  it('the fourth replacement within an hour', () => {
    const world = World.healthy().terminate(1);
    world
      .left(0, NOW - 1_000_000)
      .left(2, NOW - 3_000_000)
      .left(2, NOW - 2_000_000);
    refused(world, 'the limit is reached until 2026-11-22T14:10:00.000Z');
    world.observation.slots[2]!.departures[0]!.at = NOW - 3_600_000;
    expect(action(world)).toBe('converge');
  });

  it('the fourth replacement, although other work is carried out meanwhile', () => {
    const world = World.healthy().terminate(1);
    for (const slot of [0, 2, 2]) world.left(slot, NOW - 1_000_000);
    world.observation.cluster.appliedManifests = null;
    const { action, reason, plan, concern } = verdict(world);
    expect({ action, plan }).toMatchObject({ action: 'converge', plan: { retire: [], launch: [], apply: true } });
    expect(reason).toBe(`apply the manifests; server-1 ${id(1)} must wait: too many were replaced within the hour`);
    expect(concern).toEqual({ code: 'replacement-limit', slot: 1, instanceId: id(1) });
  });

  it('the fourth of several that are gone at once', () => {
    const world = World.healthy(5).terminate(1).terminate(2);
    world.left(3, NOW - 2_000_000).left(4, NOW - 3_000_000);
    const first = verdict(world);
    expect(first).toMatchObject({
      action: 'converge',
      plan: { retire: [{ instanceId: id(1) }], launch: [{ slot: 1 }] },
    });
    world.boot(1, 2).join(1, 2).serve(1, 2).vanish(1).forgetIn(1, { node: true, member: true });
    world.left(1, NOW - 1000);
    refused(world, 'the limit is reached until 2026-11-22T14:10:00.000Z; it would replace server-2');
  });

  it('when no healthy server takes part', () => {
    const world = World.healthy().terminate(1).forgetIn(1, { node: true, member: true });
    world.node(0)!.deleting = true;
    world.node(2)!.deleting = true;
    expect(action(world)).not.toBe('converge');
  });

  it('when a member tells no machine, and something is to be done', () => {
    const world = World.healthy().terminate(1);
    world.observation.view!.members.push({ name: '', address: '10.9.9.9', learner: true });
    refused(world, '10.9.9.9');
  });

  it.each([{ name: 'uninitialised' } as const, { name: 'initialising', instanceId: id(0) } as const])(
    'without counting voters when a machine is stopped where nobody votes yet: $name',
    (phase) => {
      const world = World.empty().boot(0).boot(1).boot(2).stop(0, 0);
      world.observation.cluster.phase = phase;
      const targets = { http: 'unhealthy', https: 'unhealthy', api: 'unhealthy' } as const;
      for (const slot of [1, 2]) world.instance(slot).targets = targets;
      const { action, reason } = verdict(world);
      expect(action).toBe('watch');
      expect(reason).not.toMatch(/voters (is|are) sick/);
    },
  );

  it('when nobody wants the cluster', () => {
    const world = World.healthy();
    world.observation.cluster.desired = 'absent';
    refused(world, 'absent');
  });
});

describe('an initialising cluster', () => {
  const initialising = () => {
    const world = World.empty().boot(0).boot(1).boot(2);
    world.observation.cluster.phase = { name: 'initialising', instanceId: id(0) };
    return world;
  };

  it('goes on with the same instance', () => {
    expect(verdict(initialising())).toMatchObject({ action: 'converge', plan: { init: true, initInstanceId: id(0) } });
  });

  it('goes on with the same instance when K3s already runs there', () => {
    expect(verdict(initialising().join(0))).toMatchObject({
      action: 'converge',
      plan: { init: true, initInstanceId: id(0) },
    });
  });

  it('moves on when it is terminated', () => {
    expect(verdict(initialising().terminate(0))).toMatchObject({
      action: 'converge',
      plan: { init: true, initInstanceId: null },
    });
  });

  it('waits when it cannot be observed', () => {
    const world = initialising();
    world.instance(0).state = 'unknown';
    expect(verdict(world)).toMatchObject({ action: 'watch', reason: expect.stringContaining(id(0)) });
  });
});

describe('the healer may act', () => {
  it('on a wanted, initialised cluster that is not paused, and on nothing else', () => {
    const { cluster } = World.healthy().observation;
    expect(mayHeal(cluster).allowed).toBe(true);
    expect(mayHeal({ ...cluster, paused: true })).toEqual({ allowed: false, reason: 'healing is paused' });
    expect(mayHeal({ ...cluster, desired: 'absent' }).allowed).toBe(false);
    expect(mayHeal({ ...cluster, phase: { name: 'uninitialised' } }).allowed).toBe(false);
    expect(mayHeal({ ...cluster, phase: { name: 'initialising', instanceId: id(0) } }).allowed).toBe(false);
  });
});

describe('machines that fail to join one after the other', () => {
  const failedBefore = (...agoMs: number[]) => {
    const world = World.healthy().vanish(1).forgetIn(1, { node: true, member: true });
    for (const ago of agoMs) world.left(1, NOW - ago, { failed: true });
    return world;
  };

  it('are replaced at once the first time', () => {
    expect(verdict(failedBefore(60_000))).toMatchObject({ action: 'converge', plan: { launch: [{ slot: 1 }] } });
  });

  it('are launched after a wait from the second time on', () => {
    expect(verdict(failedBefore(900_000, 60_000))).toMatchObject({
      action: 'watch',
      reason: expect.stringContaining('machines for server-1 failed to join one after the other'),
      recheckAfterSeconds: 60,
      concern: { code: 'backing-off', slot: 1 },
    });
    expect(action(failedBefore(900_000, 120_000))).toBe('converge');
  });

  it('wait twice as long each time', () => {
    expect(action(failedBefore(1_800_000, 900_000, 239_000))).toBe('watch');
    expect(action(failedBefore(1_800_000, 900_000, 240_000))).toBe('converge');
  });

  it('are retired without waiting', () => {
    const world = failedBefore(900_000).boot(1, 2, { agent: 'never', report: null, launchedAt: NOW - JOIN_MS });
    expect(verdict(world)).toMatchObject({ action: 'converge', plan: { launch: [], retire: [{ kind: 'failed' }] } });
  });

  it('are retired at once when they say themselves that they never will', () => {
    const world = failedBefore().boot(1, 2);
    world.instance(1, 2).report!.k3s = 'failed';
    expect(verdict(world)).toMatchObject({
      action: 'converge',
      reason: expect.stringContaining('reports 60 s after its launch that it has failed for good'),
      plan: { launch: [{ slot: 1 }], retire: [{ instanceId: id(1, 2), kind: 'failed' }], start: [] },
    });
  });

  it('are not retired at once when they vote, whatever they say', () => {
    const world = World.healthy().forgetIn(1, { node: true });
    Object.assign(world.instance(1).report!, { k3s: 'failed', etcdHealthy: null, apiReady: false });
    expect(verdict(world).plan.retire).toEqual([]);
  });

  it('are forgotten after an hour', () => {
    expect(action(failedBefore(3_600_000, 3_600_000, 1000))).toBe('converge');
  });

  it('are no reason to wait while the cluster is being created', () => {
    const world = World.empty();
    world.left(1, NOW - 2000, { failed: true }).left(1, NOW - 1000, { failed: true });
    expect(verdict(world).plan.launch).toHaveLength(3);
  });
});

describe('a concern', () => {
  it('names the server that cannot be replaced', () => {
    expect(verdict(World.healthy().terminate(1).hang(2)).concern).toEqual({
      code: 'majority-at-risk',
      slot: 1,
      instanceId: id(1),
    });
  });

  it('names nobody when it is about the cluster', () => {
    expect(verdict(World.healthy().blindfold('ReportStatus: throttled')).concern).toEqual({
      code: 'nothing-observed',
      slot: null,
      instanceId: null,
    });
  });

  it('is none when there is nothing to tell', () => {
    expect(verdict(World.healthy()).concern).toBeNull();
    expect(verdict(World.empty()).concern).toBeNull();
  });
});
