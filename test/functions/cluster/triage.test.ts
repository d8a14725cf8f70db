import type { Healing, Holder } from '../../../functions/cluster/triage';
import { triage } from '../../../functions/cluster/triage';
import { DWELL_MS, id, NOW, World } from './world';

const NOTHING: Healing = { attempt: null, refusal: null, announced: null };

/** As the minute check sees it: no server is asked, no Node and no status check is seen. */
function glance(world: World): World {
  world.observation.view = null;
  for (const instance of world.observation.instances) {
    Object.assign(instance, { report: null, statusCheck: 'unknown' });
    instance.targets.https = 'unknown';
  }
  return world;
}
const look = (world: World, healing = NOTHING, holder: Holder = 'none') =>
  triage(glance(world).observation, healing, holder);

describe('no workflow is started', () => {
  it('while nothing speaks against any server', () => {
    expect(look(World.healthy())).toMatchObject({ decision: 'none', code: 'whole' });
  });

  it('for a cluster that nobody wants, or that no person has created', () => {
    const absent = World.healthy().terminate(1);
    absent.observation.cluster.desired = 'absent';
    expect(look(absent)).toMatchObject({ decision: 'none', code: 'not-wanted' });
    expect(look(World.empty())).toMatchObject({ decision: 'none', code: 'not-wanted' });
    const initialising = World.empty().boot(0).terminate(0);
    initialising.observation.cluster.phase = { name: 'initialising', instanceId: id(0) };
    expect(look(initialising)).toMatchObject({ decision: 'none', code: 'not-wanted' });
  });

  it('while an execution is at work', () => {
    expect(look(World.healthy().terminate(1), NOTHING, 'running')).toMatchObject({ decision: 'none', code: 'busy' });
  });

  it('when nothing can be observed', () => {
    const world = World.healthy();
    for (const instance of world.observation.instances) instance.state = 'unknown';
    world.observation.blind.push('EC2 instances: Throttled');
    expect(look(world)).toMatchObject({ decision: 'none', code: 'blind' });
  });

  it('because one server, or all target health, could not be seen', () => {
    const world = World.healthy();
    world.instance(1).state = 'unknown';
    for (const { targets } of world.observation.instances) {
      Object.assign(targets, { http: 'unknown', api: 'unknown' });
    }
    expect(look(world).decision).toBe('none');
  });

  it('for a target that is being registered', () => {
    const world = World.healthy();
    world.instance(1).targets.api = 'initial';
    expect(look(world).decision).toBe('none');
  });
});

describe('a workflow is started', () => {
  it.each([
    ['is terminated', (world: World) => world.terminate(1)],
    ['is stopped', (world: World) => world.stop(1, 0)],
    ['has API target unhealthy', (world: World) => Object.assign(world.instance(1).targets, { api: 'unhealthy' })],
    [
      'is unhealthy for the load balancer: http',
      (world: World) => Object.assign(world.instance(1).targets, { http: 'unhealthy' }),
    ],
    [
      'is not registered with http',
      (world: World) => Object.assign(world.instance(1).targets, { http: 'unregistered' }),
    ],
    ['has lost its SSM agent', (world: World) => Object.assign(world.instance(1), { agent: 'lost' })],
  ])('when a server %s', (reason, happen) => {
    const world = World.healthy();
    happen(world);
    expect(look(world)).toMatchObject({
      decision: 'start',
      code: 'trouble',
      reason: expect.stringContaining(`server-1 ${id(1)} ${reason}`),
      slot: 1,
      instanceId: id(1),
    });
  });

  it('when a slot has no instance', () => {
    expect(look(World.healthy().vanish(2))).toMatchObject({ decision: 'start', reason: 'server-2 has no instance' });
  });

  it('when two instances are in one slot, or one is in no inventory', () => {
    expect(look(World.healthy().boot(1, 2)).reason).toContain(
      `server-1 ${id(1)}, server-1 ${id(1, 2)} are in one slot`,
    );
    expect(look(World.healthy().boot(1, 2, { inventoried: false })).reason).toContain('is not in the inventory');
  });

  it('when an execution ended half-way', () => {
    expect(look(World.healthy(), NOTHING, 'ended')).toMatchObject({
      decision: 'start',
      reason: 'an execution ended half-way and left its lease behind',
      slot: null,
    });
  });

  it('to confirm that what was refused is over', () => {
    const refusal = { incident: 'majority-at-risk/i-1', at: NOW - 60_000 };
    expect(look(World.healthy(), { ...NOTHING, refusal })).toMatchObject({
      decision: 'start',
      code: 'recovered',
      reason: 'nothing is wrong any more: confirm that majority-at-risk/i-1 is over',
    });
  });

  it('with a reason that the workflow takes', () => {
    const world = World.healthy(5).terminate(0).terminate(1).terminate(2).terminate(3).terminate(4);
    for (let slot = 0; slot < 5; slot++) for (let n = 2; n < 6; n++) world.boot(slot, n, { inventoried: false });
    expect(look(world).reason.length).toBeLessThanOrEqual(400);
  });
});

describe('after a refusal', () => {
  const refused = (world: World, agoMs: number): Healing => ({
    attempt: { signature: look(world).signature, at: NOW - agoMs - 5000, noticedAt: NOW - agoMs - 5000 },
    refusal: { incident: 'majority-at-risk', at: NOW - agoMs },
    announced: null,
  });

  it('the same trouble starts nothing for ten minutes', () => {
    const world = World.healthy().terminate(1).terminate(2);
    expect(look(world, refused(world, 599_000))).toMatchObject({ decision: 'none', code: 'refused-before' });
    expect(look(world, refused(world, 600_000))).toMatchObject({ decision: 'start' });
  });

  it('other trouble does', () => {
    const healing = refused(World.healthy().terminate(1).terminate(2), 60_000);
    expect(look(World.healthy().terminate(1), healing)).toMatchObject({ decision: 'start' });
  });

  it('an attempt that came to no end does not count', () => {
    const world = World.healthy().terminate(1);
    const healing = refused(world, 60_000);
    healing.attempt!.at = NOW - 1000;
    expect(look(world, healing)).toMatchObject({ decision: 'start' });
  });

  it('times and counts do not make it another trouble', () => {
    const early = look(World.healthy().stop(1, 10_000)).signature;
    expect(look(World.healthy().stop(1, 20_000)).signature).toBe(early);
    expect(look(World.healthy().stop(1, DWELL_MS)).signature).toBe(early);
  });
});

describe('while a person has paused healing', () => {
  const paused = (world: World) => {
    world.observation.cluster.paused = true;
    return world;
  };

  it('nothing is started, and people are told', () => {
    expect(look(paused(World.healthy().terminate(1)))).toMatchObject({
      decision: 'defer',
      code: 'paused',
      reason: `server-1 ${id(1)} is terminated`,
    });
    expect(look(paused(World.healthy()))).toMatchObject({ decision: 'none', code: 'whole' });
  });

  it('they are told once', () => {
    const world = paused(World.healthy().terminate(1));
    const { signature } = look(world);
    const healing = {
      ...NOTHING,
      attempt: { signature, at: NOW - 60_000, noticedAt: NOW - 60_000 },
      refusal: { incident: 'paused', at: NOW - 60_000 },
    };
    expect(look(world, healing).decision).toBe('none');
    world.observation.cluster.paused = false;
    expect(look(world, healing)).toMatchObject({ decision: 'start' });
  });
});
