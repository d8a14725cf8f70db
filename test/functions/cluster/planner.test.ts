import { isEmpty, plan } from '../../../functions/cluster/planner';
import { address, CA_HASH, DWELL_MS, id, JOIN_MS, MANIFESTS, NOW, World } from './world';

const planOf = (world: World) => plan(world.observation, MANIFESTS);

/** The slot's server is gone and forgotten, and its successor says that it will never join. */
function failed(world: World, slot: number): void {
  world.terminate(slot).vanish(slot).forgetIn(slot, { node: true, member: true }).boot(slot, 2);
  const { report } = world.instance(slot, 2);
  if (report) report.k3s = 'failed';
}

/** The slot's server is gone and forgotten, and its successor says that its user data has not finished. */
function preparing(ageMs: number): World {
  const world = World.healthy().vanish(1).forgetIn(1, { node: true, member: true });
  world.boot(1, 2, { launchedAt: NOW - ageMs }).instance(1, 2).report!.k3s = 'preparing';
  return world;
}

describe('the plan', () => {
  it('of nothing is to launch every slot and to initialise', () => {
    expect(planOf(World.empty())).toEqual({
      launch: [0, 1, 2].map((slot) => ({ slot, after: 0 })),
      retire: [],
      start: [],
      init: true,
      initInstanceId: null,
      peer: null,
      caHash: null,
      register: [],
      apply: true,
    });
  });

  it.each([3, 5])('of a whole cluster of %i is empty', (servers) => {
    expect(isEmpty(planOf(World.healthy(servers)))).toBe(true);
  });

  it('of machines that were launched and never started starts them', () => {
    const world = World.empty().boot(0).boot(1).boot(2);
    expect(planOf(world)).toMatchObject({
      launch: [],
      start: [0, 1, 2].map((slot) => ({ slot, instanceId: id(slot), privateIp: address(slot) })),
      init: true,
      register: [0, 1, 2].map((slot) => ({ slot, instanceId: id(slot) })),
    });
  });

  it('of machines that nobody started for an hour starts them all the same', () => {
    const world = World.empty().boot(0, 1, { launchedAt: NOW - 3_600_000 });
    expect(planOf(world)).toMatchObject({ launch: [{ slot: 1 }, { slot: 2 }], retire: [], start: [{ slot: 0 }] });
  });

  it('keeps to the instance that the latch names', () => {
    const world = World.empty().boot(0).boot(1).boot(2);
    world.observation.cluster.phase = { name: 'initialising', instanceId: id(1) };
    expect(planOf(world)).toMatchObject({ init: true, initInstanceId: id(1) });
  });

  it('lets nobody else initialise while the one that the latch names should leave and may not yet', () => {
    const world = World.healthy(5).hang(0, { forMs: DWELL_MS }).boot(2, 2).join(2, 2).serve(2, 2);
    world.observation.cluster.phase = { name: 'initialising', instanceId: id(0) };
    expect(planOf(world)).toMatchObject({ retire: [{ instanceId: id(2) }], init: true, initInstanceId: id(0) });
  });

  it('lets another initialise when the one that the latch names is terminated', () => {
    const world = World.empty().boot(0).boot(1).boot(2).terminate(0);
    world.observation.cluster.phase = { name: 'initialising', instanceId: id(0) };
    expect(planOf(world)).toMatchObject({
      launch: [{ slot: 0 }],
      retire: [{ instanceId: id(0), member: false }],
      init: true,
      initInstanceId: null,
    });
  });

  it('joins what is missing through a healthy server', () => {
    const world = World.healthy().terminate(2).forgetIn(2, { node: true, member: true }).boot(2, 2);
    expect(planOf(world)).toMatchObject({
      launch: [],
      retire: [{ instanceId: id(2), member: false }],
      start: [{ slot: 2, instanceId: id(2, 2) }],
      init: false,
      peer: { slot: 0, instanceId: id(0), privateIp: address(0) },
      caHash: CA_HASH,
      register: [{ slot: 2, instanceId: id(2, 2) }],
      apply: true,
    });
  });

  it('replaces a terminated server: successor, removal, join', () => {
    expect(planOf(World.healthy().terminate(0))).toMatchObject({
      launch: [{ slot: 0 }],
      retire: [{ slot: 0, instanceId: id(0), address: address(0), member: true, reason: 'is terminated' }],
      peer: { slot: 1 },
    });
  });

  it('says which servers of a slot it knows, so that none of them is taken for the successor', () => {
    const world = World.healthy().terminate(0).boot(0, 2, { state: 'stopped' }).suspect(0, ['stopped'], DWELL_MS, 2);
    expect(planOf(world)).toMatchObject({
      launch: [{ slot: 0, after: 2 }],
      retire: [{ instanceId: id(0, 1) }, { instanceId: id(0, 2), kind: 'sick' }],
    });
  });

  it.each([3, 5])('retires all machines of %i that have failed and launches one successor beside them', (servers) => {
    const world = World.healthy(servers);
    for (const slot of [1, 2]) failed(world, slot);
    expect(planOf(world)).toMatchObject({
      launch: [{ slot: 1 }],
      retire: [{ instanceId: id(1, 2) }, { instanceId: id(2, 2) }],
    });
    world.vanish(1, 2).vanish(2, 2).boot(1, 3);
    expect(planOf(world)).toMatchObject({ launch: [{ slot: 2 }], retire: [], start: [{ slot: 1 }] });
  });

  it('launches no successor beside a failed machine while another slot has a surge', () => {
    const world = World.healthy(5).boot(0, 2);
    failed(world, 1);
    world.instance(0).report = null;
    expect(planOf(world)).toMatchObject({ launch: [], retire: [{ instanceId: id(1, 2) }] });
  });

  it('launches for every empty slot, whatever is beside', () => {
    const world = World.healthy(5).boot(0, 2).terminate(1).terminate(2).vanish(2);
    world.forgetIn(2, { node: true, member: true }).instance(0).report = null;
    expect(planOf(world)).toMatchObject({ launch: [{ slot: 1 }, { slot: 2 }] });
  });

  it('launches no second successor', () => {
    expect(planOf(World.healthy().terminate(0).boot(0, 2))).toMatchObject({ launch: [], start: [{ slot: 0 }] });
  });

  it('launches an instance that is missing from the inventory once more, which returns and records it', () => {
    const world = World.healthy().terminate(1).vanish(1).forgetIn(1, { node: true, member: true });
    world.boot(1, 2, { inventoried: false });
    expect(planOf(world)).toMatchObject({ launch: [{ slot: 1 }], retire: [], start: [] });
  });

  it('retires an instance of ours that no slot needs', () => {
    expect(planOf(World.healthy().boot(1, 2, { inventoried: false }))).toMatchObject({
      retire: [{ slot: 1, instanceId: id(1, 2), member: false, reason: `is surplus: server-1 is ${id(1)}` }],
    });
  });

  it('retires an instance of ours that has the number of no slot', () => {
    expect(planOf(World.healthy().boot(3))).toMatchObject({
      launch: [],
      retire: [{ slot: 3, instanceId: id(3), kind: 'surplus', reason: 'belongs to no slot of this cluster' }],
      start: [],
    });
  });

  it('leaves one of no slot alone that cannot be seen', () => {
    expect(planOf(World.healthy().boot(3, 1, { state: 'unknown' })).retire).toEqual([]);
  });

  it('keeps a spare as long as the server is under suspicion', () => {
    expect(planOf(World.healthy().hang(1).boot(1, 2))).toMatchObject({ retire: [], launch: [] });
  });

  it('keeps a spare as long as the server gives no proof of health', () => {
    const world = World.healthy().boot(1, 2);
    world.instance(1).report = null;
    expect(planOf(world)).toMatchObject({ retire: [], launch: [] });
  });

  it('judges nobody in a slot whose server cannot be seen', () => {
    const world = World.healthy().boot(1, 2);
    Object.assign(world.instance(1), { state: 'unknown', report: null });
    expect(planOf(world)).toMatchObject({ retire: [], launch: [] });

    const empty = World.empty().boot(1, 1).boot(1, 2, { state: 'unknown', report: null });
    expect(planOf(empty).retire).toEqual([]);
  });

  it('retires the predecessor once its successor is proven', () => {
    const world = World.healthy().boot(1, 2).join(1, 2).serve(1, 2);
    expect(planOf(world).retire).toMatchObject([{ instanceId: id(1) }]);
    world.instance(1, 2).report = null;
    expect(planOf(world).retire).toEqual([]);
  });

  it.each<[string, Partial<ReturnType<World['instance']>>]>([
    ['whose agent never came online', { agent: 'never', report: null }],
    ['whose agent is lost', { agent: 'lost', report: null }],
    ['that EC2 never got past pending', { state: 'pending', agent: 'never', report: null }],
  ])('retires a joiner past its time %s', (_, fields) => {
    const world = World.healthy().terminate(1).vanish(1).forgetIn(1, { node: true, member: true });
    world.boot(1, 2, { ...fields, launchedAt: NOW - JOIN_MS });
    expect(planOf(world)).toMatchObject({ launch: [{ slot: 1 }], retire: [{ instanceId: id(1, 2), member: false }] });
  });

  it('retires a joiner past its time whose user data has not finished', () => {
    expect(planOf(preparing(JOIN_MS))).toMatchObject({
      launch: [{ slot: 1 }],
      retire: [
        { instanceId: id(1, 2), reason: 'has not joined 600 s after its launch: its user data has not finished' },
      ],
      start: [],
    });
  });

  it('gives user data its time', () => {
    expect(planOf(preparing(JOIN_MS - 1000))).toMatchObject({
      launch: [],
      retire: [],
      start: [{ instanceId: id(1, 2) }],
    });
  });

  it('keeps a server that has joined, whatever it says of its user data', () => {
    const world = World.healthy();
    Object.assign(world.instance(1), { launchedAt: NOW - JOIN_MS });
    Object.assign(world.instance(1).report!, { k3s: 'preparing', etcdHealthy: null, apiReady: false });
    expect(isEmpty(planOf(world))).toBe(true);
  });

  it('gives a joiner its time', () => {
    const world = World.healthy().terminate(1).vanish(1).forgetIn(1, { node: true, member: true });
    world.boot(1, 2, { agent: 'never', report: null, launchedAt: NOW - JOIN_MS + 1000 });
    expect(planOf(world)).toMatchObject({ launch: [], retire: [], start: [{ instanceId: id(1, 2) }] });
  });

  it('starts a half joined learner before anything else is removed or joined', () => {
    const world = World.healthy(5).terminate(1).boot(4, 2).terminate(4).vanish(4).join(4, 2);
    world.forgetIn(4, { node: true, member: true }).member(4, 2)!.learner = true;
    expect(planOf(world)).toMatchObject({ retire: [], launch: [], start: [{ slot: 4, instanceId: id(4, 2) }] });
  });

  it('removes what only K3s still lists: a Node and a member', () => {
    const world = World.healthy().vanish(2);
    expect(planOf(world).retire).toMatchObject([{ instanceId: id(2), address: address(2), member: true }]);
  });

  it('removes a member that never got its Node', () => {
    const world = World.healthy().terminate(2).forgetIn(2, { node: true });
    expect(planOf(world).retire).toMatchObject([{ slot: 2, instanceId: id(2), address: address(2), member: true }]);
  });

  it('removes a Node whose member is gone', () => {
    const world = World.healthy().terminate(2).forgetIn(2, { member: true });
    expect(planOf(world).retire).toMatchObject([{ slot: 2, instanceId: id(2), member: true }]);
  });

  it('forgets a terminated instance that K3s has forgotten', () => {
    const world = World.healthy().terminate(2).forgetIn(2, { node: true, member: true });
    expect(planOf(world).retire).toMatchObject([{ slot: 2, instanceId: id(2), member: false }]);
  });

  it('removes two dead servers of five and then joins both successors', () => {
    expect(planOf(World.healthy(5).terminate(1).terminate(2))).toMatchObject({
      launch: [{ slot: 1 }, { slot: 2 }],
      retire: [{ instanceId: id(1) }, { instanceId: id(2) }],
    });
  });

  it('removes one living voter at most', () => {
    const world = World.healthy(5).hang(1, { forMs: DWELL_MS }).hang(2, { forMs: DWELL_MS });
    expect(planOf(world).retire).toHaveLength(1);
  });

  it('does not act through a server that takes no commands when another does', () => {
    const world = World.healthy().terminate(2);
    Object.assign(world.instance(0), { agent: 'lost', report: null });
    expect(planOf(world).peer).toMatchObject({ slot: 1 });
  });

  it('registers a server that is not a target, or that was about to be none', () => {
    const world = World.healthy();
    world.instance(0).targets.http = 'unregistered';
    world.instance(1).targets.api = 'draining';
    expect(planOf(world)).toMatchObject({ register: [{ slot: 0 }, { slot: 1 }], apply: false });
  });

  it('applies manifests that are not the applied ones', () => {
    const world = World.healthy();
    world.observation.cluster.appliedManifests = 'b'.repeat(64);
    expect(planOf(world)).toMatchObject({ apply: true, launch: [], retire: [], start: [], register: [] });
  });

  it('draws nothing from what is unknown', () => {
    const world = World.healthy().blindfold('everything');
    for (const instance of world.observation.instances) {
      Object.assign(instance, { state: 'unknown', agent: 'unknown', statusCheck: 'unknown' });
      instance.targets = { http: 'unknown', https: 'unknown', api: 'unknown' };
    }
    expect(isEmpty(planOf(world))).toBe(true);
  });
});

describe('a machine beside another', () => {
  it('goes first when it is half way in: etcd takes one learner', () => {
    const world = World.healthy().vanish(0).forgetIn(0, { node: true, member: true }).boot(0, 2);
    world.member(2)!.learner = true;
    expect(plan(world.observation, MANIFESTS).start.map(({ slot }) => slot)).toEqual([2, 0]);
  });

  it('stays as the spare of a suspect until the suspicion is over, however well the suspect speaks of itself', () => {
    const world = World.healthy().boot(1, 2);
    Object.assign(world.instance(1), { statusCheck: 'impaired' });
    world.instance(1).targets.api = 'unhealthy';
    expect(plan(world.observation, MANIFESTS).retire).toEqual([]);
  });
});
