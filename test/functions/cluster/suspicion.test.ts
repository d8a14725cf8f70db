import { nextSuspicion } from '../../../functions/cluster/suspicion';
import { id, NOW, World } from './world';

const AGES_AGO = 1000_000;
const since = (world: World, slot = 1) => nextSuspicion(world.observation, slot)?.since;

describe('suspicion', () => {
  it('is none while nothing speaks against a server', () => {
    expect(nextSuspicion(World.healthy().observation, 1)).toBeNull();
  });

  it('ends when the signals do', () => {
    expect(nextSuspicion(World.healthy().suspect(1, ['API target unhealthy'], 30_000).observation, 1)).toBeNull();
  });

  it('starts with the first signal', () => {
    const world = World.healthy();
    world.instance(1).targets.api = 'unhealthy';
    expect(nextSuspicion(world.observation, 1)).toEqual({
      instanceId: id(1),
      since: NOW,
      lastSeen: NOW,
      signals: ['API target unhealthy'],
    });
  });

  it('starts anew when a second signal joins the first', () => {
    expect(since(World.healthy().hang(1).suspect(1, ['API target unhealthy'], AGES_AGO))).toBe(NOW);
  });

  it('lasts while the same two agree', () => {
    expect(since(World.healthy().hang(1, { forMs: 40_000 }))).toBe(NOW - 40_000);
  });

  it('lasts when a third joins two', () => {
    const world = World.healthy().hang(1, { forMs: 40_000 });
    world.instance(1).statusCheck = 'impaired';
    expect(since(world)).toBe(NOW - 40_000);
  });

  it('starts anew when other signals agree than before', () => {
    const world = World.healthy().hang(1).suspect(1, ['API target unhealthy', 'EC2 status check impaired'], AGES_AGO);
    expect(since(world)).toBe(NOW);
  });

  it('is neither confirmed nor cleared by an observer that cannot see', () => {
    const world = World.healthy().hang(1, { forMs: 40_000 }).blindfold('ReportStatus: throttled');
    world.instance(1).targets.api = 'unknown';
    expect(nextSuspicion(world.observation, 1)).toEqual({
      instanceId: id(1),
      since: NOW - 40_000,
      lastSeen: NOW - 20_000,
      signals: ['API target unhealthy', 'Node not Ready'],
    });
  });

  it('starts anew when nobody looked for more than 150 s', () => {
    const world = World.healthy().hang(1, { forMs: 300_000 });
    const suspicion = world.observation.slots[1]!.suspicion!;
    suspicion.lastSeen = NOW - 150_000;
    expect(since(world)).toBe(NOW - 300_000);
    suspicion.lastSeen = NOW - 150_001;
    expect(since(world)).toBe(NOW);
  });

  it('is not inherited by the next instance of the slot', () => {
    const world = World.healthy().terminate(1).boot(1, 2).join(1, 2).suspect(1, ['API target unhealthy'], AGES_AGO);
    world.instance(1, 2).targets.api = 'unhealthy';
    expect(since(world)).toBe(NOW);
  });

  it('takes no word of a server against itself when nobody else describes the cluster', () => {
    const world = World.healthy();
    world.node(1)!.ready = 'False';
    world.observation.view!.reporters = [id(1)];
    expect(nextSuspicion(world.observation, 1)).toBeNull();
  });

  it('does not arise from a machine that has not joined: it has a time limit', () => {
    const world = World.healthy().terminate(1).boot(1, 2);
    world.instance(1, 2).targets.api = 'unhealthy';
    expect(nextSuspicion(world.observation, 1)).toBeNull();
  });

  it('does not arise from SSM alone', () => {
    const world = World.healthy();
    Object.assign(world.instance(1), { agent: 'lost', report: null });
    expect(nextSuspicion(world.observation, 1)).toBeNull();
  });
});
