import { LeaseLost } from '../../../functions/cluster/errors';
import { registerTargets } from '../../../functions/register-targets/register-targets';
import { heldByUs, OURS } from '../support/executions';
import { silent } from '../support/log';

const INPUT = { execution: OURS, instanceId: 'i-00000001' };
const failing = (name: string) => Object.assign(new Error('not in a running state'), { name });

describe('registering targets', () => {
  it('says in how many target groups the server is', async () => {
    const deps = { leases: heldByUs(), targets: { register: async () => 3 } };
    expect(await registerTargets(INPUT, deps, silent)).toEqual({ instanceId: 'i-00000001', targetGroups: 3 });
  });

  it('has lost the server that does not run', async () => {
    const deps = { leases: heldByUs(), targets: { register: () => Promise.reject(failing('InvalidTarget')) } };
    await expect(registerTargets(INPUT, deps, silent)).rejects.toMatchObject({
      name: 'ServerLost',
      message: expect.stringContaining('not in a running state'),
    });
  });

  it('passes on any other refusal', async () => {
    const deps = { leases: heldByUs(), targets: { register: () => Promise.reject(failing('TooManyTargets')) } };
    await expect(registerTargets(INPUT, deps, silent)).rejects.toMatchObject({ name: 'TooManyTargets' });
  });

  it('needs the lease', async () => {
    const register = jest.fn();
    const deps = { leases: { require: () => Promise.reject(new LeaseLost('gone')) }, targets: { register } };
    await expect(registerTargets(INPUT, deps, silent)).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(register).not.toHaveBeenCalled();
  });
});
