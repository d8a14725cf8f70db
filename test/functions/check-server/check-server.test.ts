import type { Machine } from '../../../functions/aws/instances';
import { checkServer } from '../../../functions/check-server/check-server';
import { machine } from '../support/machine';
import { NOW } from '../support/platform';

const ID = 'i-00000001';

function check(until: 'running' | 'terminated', found: Machine | null, launchedAt = NOW - 3_600_000) {
  const inventory = {
    slot: 0,
    generation: 1,
    instances: [{ instanceId: ID, generation: 1, launchedAt }],
    suspicion: null,
    departures: [],
    replacing: null,
    launching: null,
    launchedBy: null,
  };
  return checkServer(
    { instanceId: ID, until },
    { instances: { find: async () => found }, slots: { readAll: async () => [inventory] }, now: () => NOW },
  );
}

describe('a server that is to come up', () => {
  it('is running once it has an address', async () => {
    expect(await check('running', machine(ID))).toEqual({
      instanceId: ID,
      state: 'running',
      availabilityZone: 'eu-west-3a',
      privateIp: '10.0.0.1',
    });
  });

  it.each([
    ['pending', machine(ID, { state: 'pending' })],
    ['without an address', machine(ID, { privateIp: null })],
    ['not known to EC2 yet', null],
  ])('and is %s is not there yet', async (_what, found) => {
    await expect(check('running', found)).rejects.toMatchObject({ name: 'ServerNotYet' });
  });

  it.each(['terminated', 'shutting-down', 'stopped'] as const)('and is %s is lost, for EC2’s reason', async (state) => {
    const stateReason = 'Server.InternalError: Internal error on launch';
    await expect(check('running', machine(ID, { state, stateReason }))).rejects.toMatchObject({
      name: 'ServerLost',
      message: expect.stringContaining(stateReason),
    });
  });
});

describe('a server that is to be gone', () => {
  it('is gone when EC2 says terminated', async () => {
    expect(await check('terminated', machine(ID, { state: 'terminated', privateIp: null }))).toMatchObject({
      state: 'terminated',
      privateIp: null,
    });
  });

  it.each(['running', 'shutting-down', 'stopped'] as const)('is not gone while it is %s', async (state) => {
    await expect(check('terminated', machine(ID, { state }))).rejects.toMatchObject({ name: 'ServerNotYet' });
  });

  it('is gone when EC2 has forgotten it', async () => {
    expect(await check('terminated', null)).toMatchObject({ state: 'terminated' });
  });

  it('is not gone because EC2 does not know it yet', async () => {
    await expect(check('terminated', null, NOW - 5000)).rejects.toMatchObject({ name: 'ServerNotYet' });
  });
});
