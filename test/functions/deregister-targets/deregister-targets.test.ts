import { LeaseLost } from '../../../functions/cluster/errors';
import { deregisterTargets } from '../../../functions/deregister-targets/deregister-targets';
import { heldByUs, OURS } from '../support/executions';
import { silent } from '../support/log';

const INPUT = { execution: OURS, instanceId: 'i-00000001' };

describe('deregistering targets', () => {
  it('says in how many target groups the server is not any more', async () => {
    const deps = { leases: heldByUs(), targets: { deregister: async () => 3 } };
    expect(await deregisterTargets(INPUT, deps, silent)).toEqual({ instanceId: 'i-00000001', targetGroups: 3 });
  });

  it('needs the lease', async () => {
    const deregister = jest.fn();
    const deps = { leases: { require: () => Promise.reject(new LeaseLost('gone')) }, targets: { deregister } };
    await expect(deregisterTargets(INPUT, deps, silent)).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(deregister).not.toHaveBeenCalled();
  });
});
