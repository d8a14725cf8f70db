import { correlate, isInService, isJoined, isProven, summarise } from '../../../functions/cluster/readiness';
import { address, id, memberName, World } from './world';

const serverOf = (world: World, slot: number) => {
  const server = correlate(world.observation).servers.find((candidate) => candidate.slot === slot);
  if (!server) throw new Error(`no server in slot ${slot}`);
  return server;
};

describe('a server', () => {
  it('is in service when it reports healthy, is Ready and votes', () => {
    expect(isInService(serverOf(World.healthy(), 1))).toBe(true);
  });

  it('is not in service before the leader has written that it votes', () => {
    const world = World.healthy();
    world.node(1)!.voter = false;
    expect(isInService(serverOf(world, 1))).toBe(false);
  });

  it('has not joined while it is a learner, whatever its Node says', () => {
    const world = World.healthy();
    world.member(1)!.learner = true;
    expect(isJoined(serverOf(world, 1))).toBe(false);
  });

  it('has not joined without its annotation', () => {
    const world = World.healthy();
    world.node(1)!.member = null;
    expect(isJoined(serverOf(world, 1))).toBe(false);
  });

  it.each<[string, (world: World) => unknown]>([
    ['does not answer', (world) => Object.assign(world.instance(1), { report: null })],
    ['says that etcd is unhealthy', (world) => Object.assign(world.instance(1).report!, { etcdHealthy: false })],
    ['says nothing about etcd', (world) => Object.assign(world.instance(1).report!, { etcdHealthy: null })],
    ['says that its API is not ready', (world) => Object.assign(world.instance(1).report!, { apiReady: false })],
    ['is not Ready', (world) => Object.assign(world.node(1)!, { ready: 'Unknown' })],
    ['is being deleted', (world) => Object.assign(world.node(1)!, { deleting: true })],
    ['is stopped', (world) => Object.assign(world.instance(1), { state: 'stopped' })],
    ['is in an unknown state', (world) => Object.assign(world.instance(1), { state: 'unknown' })],
    ['is not in the member list', (world) => world.forgetIn(1, { member: true })],
  ])('gives no proof of health when it %s', (_, change) => {
    const world = World.healthy();
    change(world);
    expect(isProven(serverOf(world, 1))).toBe(false);
  });

  it('whose agent is lost is proven by Node and load balancer together', () => {
    const world = World.healthy();
    Object.assign(world.instance(1), { agent: 'lost', report: null });
    expect(isProven(serverOf(world, 1))).toBe(true);
    world.instance(1).targets.api = 'unhealthy';
    expect(isProven(serverOf(world, 1))).toBe(false);
  });
});

describe('a member', () => {
  it('without a Node is recognised by its name', () => {
    expect(serverOf(World.healthy().forgetIn(1, { node: true }), 1).member?.name).toBe(memberName(1));
  });

  it('named after a host is recognised by the annotation of its Node', () => {
    const world = World.healthy();
    world.member(1)!.name = 'ip-10-0-1-1-89abcdef';
    world.node(1)!.member = 'ip-10-0-1-1-89abcdef';
    expect(serverOf(world, 1).member?.name).toBe('ip-10-0-1-1-89abcdef');
  });

  it('that has not started has no name and is recognised by its address', () => {
    const world = World.healthy();
    world.member(1)!.name = '';
    world.forgetIn(1, { node: true });
    expect(serverOf(world, 1).member?.address).toBe(address(1));
  });

  it('at an address that was used again belongs to the machine that is gone, unless the other has started K3s', () => {
    const world = World.healthy().forgetIn(1, { node: true }).terminate(1).boot(1, 2);
    Object.assign(world.member(1)!, { name: '' });
    for (const generation of [1, 2]) world.instance(1, generation).privateIp = address(1);
    const owner = () => correlate(world.observation).servers.find(({ member }) => member?.name === '')?.instanceId;
    expect(owner()).toBe(id(1));
    world.instance(1, 2).report!.k3s = 'preparing';
    expect(owner()).toBe(id(1));
    world.instance(1, 2).report!.k3s = 'activating';
    expect(owner()).toBe(id(1, 2));
  });

  it('of no known instance is a leftover', () => {
    const { leftovers } = correlate(World.healthy().vanish(1).forgetIn(1, { node: true }).observation);
    expect(leftovers).toEqual([
      { instanceId: id(1), address: address(1), voter: true, description: `etcd member ${memberName(1)}` },
    ]);
  });

  it('and its Node are one leftover, not two', () => {
    const { leftovers } = correlate(World.healthy().vanish(1).observation);
    expect(leftovers).toEqual([{ instanceId: id(1), address: address(1), voter: true, description: `Node ${id(1)}` }]);
  });
});

describe('the summary', () => {
  it('lists the servers that exist, in slot order', () => {
    const world = World.healthy().terminate(2);
    world.observation.instances.reverse();
    expect(summarise(world.observation)).toEqual(
      [0, 1].map((slot) => ({
        slot,
        instanceId: id(slot),
        availabilityZone: `eu-west-3${'abc'[slot]}`,
        privateIp: address(slot),
        ready: true,
        etcdVoter: true,
        healthyTargets: 3,
      })),
    );
  });
});
