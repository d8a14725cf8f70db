import { checkTargets } from '../../../functions/check-targets/check-targets';
import type { TargetGroupName, TargetHealth } from '../../../functions/cluster/observation';

const healthOf = (groups: Record<TargetGroupName, TargetHealth[]>) => ({
  health: async (group: TargetGroupName) =>
    new Map(groups[group].map((health, index): [string, TargetHealth] => [`i-0000000${index}`, health])),
});

describe('checking targets', () => {
  it('counts the healthy ones of each group', async () => {
    const all: TargetHealth[] = ['healthy', 'healthy', 'healthy'];
    const targets = healthOf({ http: all, https: all, api: [...all, 'draining'] });
    expect(await checkTargets({ servers: 3, targets })).toEqual({ healthy: { http: 3, https: 3, api: 3 } });
  });

  it('names the groups that lack some', async () => {
    const all: TargetHealth[] = ['healthy', 'healthy', 'healthy'];
    const targets = healthOf({ http: all, https: ['healthy', 'initial', 'unhealthy'], api: [] });
    await expect(checkTargets({ servers: 3, targets })).rejects.toMatchObject({
      name: 'TargetsNotHealthy',
      message: 'healthy targets: https 1 of 3, api 0 of 3',
    });
  });
});
