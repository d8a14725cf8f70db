import { departureOf, recentFailures, recentReplacements } from '../../../functions/cluster/departures';
import { RETIREMENT_KINDS } from '../../../functions/cluster/judgement';
import { NOW, World } from './world';

const HOUR_MS = 3_600_000;

describe('what is remembered of a server that left', () => {
  const { cluster } = World.healthy().observation;

  it('is nothing when its slot did not need it any more', () => {
    const remembered = RETIREMENT_KINDS.filter((kind) => departureOf('i-1', kind, cluster, NOW) !== null);
    expect(remembered).toEqual(['gone', 'sick', 'failed']);
  });

  it('is the life of the cluster that it counts as a replacement in', () => {
    const { incarnation } = cluster;
    expect(departureOf('i-1', 'gone', cluster, 7)).toEqual({ instanceId: 'i-1', at: 7, failed: false, incarnation });
  });

  it('is no replacement while the cluster is being created, or after it', () => {
    for (const other of [World.empty().observation.cluster, { ...cluster, desired: 'absent' as const }, null]) {
      expect(departureOf('i-1', 'failed', other, 7)).toEqual({
        instanceId: 'i-1',
        at: 7,
        failed: true,
        incarnation: null,
      });
    }
  });
});

describe('the departures of an hour', () => {
  it('are replacements of the whole cluster, oldest first', () => {
    const world = World.healthy()
      .left(2, NOW - 1000)
      .left(0, NOW - 3000)
      .left(1, NOW - 2000, { failed: true });
    expect(recentReplacements(world.observation)).toEqual([NOW - 3000, NOW - 2000, NOW - 1000]);
  });

  it('do not count any more when they are older, or of another life of the cluster', () => {
    const world = World.healthy()
      .left(1, NOW - HOUR_MS)
      .left(1, NOW - HOUR_MS + 1)
      .left(2, NOW - 1000);
    world.observation.slots[2]!.departures[0]!.incarnation = 'life-0';
    expect(recentReplacements(world.observation)).toEqual([NOW - HOUR_MS + 1]);
  });

  it('are failures when the machine never joined, also during the creation', () => {
    const world = World.empty()
      .left(1, NOW - 1000, { failed: true })
      .left(1, NOW - 500)
      .left(1, NOW - 2000, {
        failed: true,
      });
    const { departures } = world.observation.slots[1]!;
    expect(recentFailures(departures, NOW)).toEqual([NOW - 2000, NOW - 1000]);
    expect(recentFailures(departures, NOW - 2000 + HOUR_MS)).toEqual([NOW - 1000]);
    expect(recentReplacements(world.observation)).toEqual([]);
  });
});
