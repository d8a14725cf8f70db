import { judge } from '../../../functions/cluster/judgement';
import { mayRemove, permit } from '../../../functions/cluster/quorum';
import { DWELL_MS, id, JOIN_MS, NOW, World } from './world';

const ask = (world: World, slot: number, generation = 1) => mayRemove(world.observation, id(slot, generation));

describe('a server may be removed', () => {
  it('when it is terminated and the other two are proven healthy', () => {
    expect(ask(World.healthy().terminate(1), 1)).toEqual({
      allowed: true,
      reason: '2 of the 2 voters left are proven healthy, a majority remains',
    });
  });

  it('when it is terminated and was the etcd leader', () => {
    const world = World.healthy().terminate(0);
    // What the dead leader wrote last: nobody has updated it since.
    world.node(0)!.ready = 'True';
    expect(ask(world, 0).allowed).toBe(true);
  });

  it('when two signals have agreed against it for the dwell time', () => {
    expect(ask(World.healthy().hang(1, { forMs: DWELL_MS }), 1).allowed).toBe(true);
  });

  it('when it has been stopped for the dwell time', () => {
    expect(ask(World.healthy().stop(1, DWELL_MS), 1).allowed).toBe(true);
  });

  it('when it is a learner that has not been promoted within its time', () => {
    const world = World.healthy();
    world.member(1)!.learner = true;
    world.instance(1).launchedAt = NOW - JOIN_MS;
    expect(ask(world, 1).allowed).toBe(true);
  });

  it('when it failed to come up before there was a cluster', () => {
    const world = World.empty().boot(0, 1, { agent: 'never', report: null, launchedAt: NOW - JOIN_MS });
    expect(ask(world, 0).allowed).toBe(true);
  });

  it('twice of five, one after the other', () => {
    const world = World.healthy(5).terminate(1).terminate(2);
    expect(ask(world, 1)).toMatchObject({ allowed: true, reason: expect.stringContaining('3 of the 4') });
    world.vanish(1).forgetIn(1, { node: true, member: true });
    expect(ask(world, 2)).toMatchObject({ allowed: true, reason: expect.stringContaining('3 of the 3') });
  });
});

describe('a server may not be removed', () => {
  it('when a second one is sick', () => {
    expect(ask(World.healthy().terminate(1).hang(2), 1)).toMatchObject({ allowed: false, obstacle: 'majority' });
  });

  it('when a second one is unproven', () => {
    const world = World.healthy().terminate(1);
    world.instance(2).report = null;
    expect(ask(world, 1)).toMatchObject({
      allowed: false,
      obstacle: 'unproven',
      reason: expect.stringContaining('1 of the 2'),
    });
  });

  it('when two are sick in one zone, although a majority would remain', () => {
    const world = World.healthy(5).hang(0, { forMs: DWELL_MS }).hang(3, { forMs: DWELL_MS });
    expect(ask(world, 0)).toMatchObject({ allowed: false, reason: expect.stringContaining('eu-west-3a') });
  });

  it('while another server is a learner', () => {
    const world = World.healthy(5).terminate(1);
    world.member(2)!.learner = true;
    expect(ask(world, 1)).toMatchObject({ allowed: false, obstacle: 'order' });
  });

  it('while another server is being deleted', () => {
    const world = World.healthy(5).terminate(1);
    world.node(2)!.deleting = true;
    expect(ask(world, 1)).toMatchObject({ allowed: false, obstacle: 'order' });
  });

  it('when it has recovered in the meantime', () => {
    expect(ask(World.healthy(), 1)).toEqual({
      allowed: false,
      obstacle: 'moot',
      reason: `server-1 ${id(1)} does not have to leave: it is running and healthy`,
    });
  });

  it('when one of the two signals is gone', () => {
    const world = World.healthy().hang(1, { forMs: DWELL_MS });
    world.instance(1).targets.api = 'healthy';
    expect(ask(world, 1)).toMatchObject({ allowed: false, obstacle: 'moot' });
  });

  it('when one of the two signals is only remembered, because it could not be looked at now', () => {
    const world = World.healthy().hang(1, { forMs: DWELL_MS });
    world.instance(1).targets.api = 'unknown';
    expect(ask(world, 1)).toMatchObject({ allowed: false, obstacle: 'moot' });
  });

  it('before the dwell time is over', () => {
    expect(ask(World.healthy().hang(1, { forMs: DWELL_MS - 1000 }), 1).allowed).toBe(false);
    expect(ask(World.healthy().stop(1, DWELL_MS - 1000), 1).allowed).toBe(false);
  });

  it('when nobody can say who votes', () => {
    expect(ask(World.healthy().terminate(1).blindfold(), 1)).toMatchObject({ allowed: false, obstacle: 'unknown' });
  });

  it('when members of unknown machines vote, and the proven are no majority of all', () => {
    const world = World.healthy(5).terminate(1).vanish(2).vanish(3);
    world.instance(4).report = null;
    expect(ask(world, 1)).toMatchObject({ allowed: false });
  });

  it('when what leaves before it takes too much already', () => {
    const { observation } = World.healthy().terminate(1);
    const judgement = judge(observation);
    const [gone] = judgement.retire;
    expect(permit(observation, judgement, gone!, []).allowed).toBe(true);
    expect(permit(observation, judgement, gone!, [id(0)])).toMatchObject({ allowed: true });
    expect(permit(observation, judgement, gone!, [id(0), id(2)])).toMatchObject({ allowed: false });
  });

  it('when nobody knows it', () => {
    expect(mayRemove(World.healthy().observation, 'i-0fffffff')).toMatchObject({ allowed: false, obstacle: 'moot' });
  });
});
