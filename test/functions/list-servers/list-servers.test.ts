import { listServers } from '../../../functions/list-servers/list-servers';
import { OURS } from '../support/executions';
import { machine } from '../support/machine';
import { emulatedTable } from '../support/table';

describe('listing servers', () => {
  it('names what the inventory knows, terminated or not, and what only tags know while it exists', async () => {
    const { slots, run } = await emulatedTable();
    await run(() => slots.beginLaunch(4, 0, 't4g.medium', OURS));
    await run(() => slots.completeLaunch(4, { instanceId: 'i-00000004', generation: 1, launchedAt: 1 }));
    const tagged = [
      machine('i-00000004', { state: 'terminated', tags: { slot: 4, generation: 1 } }),
      machine('i-00000001', { tags: { slot: 1, generation: 1 } }),
      machine('i-00000002', { state: 'terminated' }),
      machine('i-00000003', { tags: null }),
    ];
    const instances = { byTag: async () => tagged };
    expect(await run(() => listServers({ slots, instances }))).toEqual({
      servers: [
        { slot: 4, instanceId: 'i-00000004' },
        { slot: 1, instanceId: 'i-00000001' },
      ],
    });
  });
});
