import { completeInit } from '../../../functions/complete-init/complete-init';
import { OURS } from '../support/executions';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';

const CA_HASH = 'c'.repeat(64);
const ONE = 'i-00000001';

async function start() {
  const emulated = await emulatedTable();
  const { leases, records, run, now } = emulated;
  await run(() => leases.acquire(OURS, 'cluster', now()));
  await run(() => records.want('present', 'life-1'));
  const complete = (instanceId: string, caHash = CA_HASH) =>
    run(() => completeInit({ execution: OURS, instanceId, caHash, k3sVersion: 'v1' }, { leases, records }, silent));
  return { ...emulated, complete };
}

describe('completing the initialisation', () => {
  it('is final, and may be repeated', async () => {
    const { complete, run, records } = await start();
    await run(() => records.beginInit(ONE, 'v1'));
    await complete(ONE);
    await complete(ONE);
    expect((await run(() => records.read()))?.phase).toEqual({ name: 'initialised', caHash: CA_HASH });
  });

  it('is refused to a server that the latch does not name', async () => {
    const { complete, run, records } = await start();
    await run(() => records.beginInit(ONE, 'v1'));
    await expect(complete('i-00000002')).rejects.toMatchObject({ name: 'LatchRefused' });
  });

  it('is refused to another cluster than the one that exists', async () => {
    const { complete, run, records } = await start();
    await run(() => records.beginInit(ONE, 'v1'));
    await complete(ONE);
    await expect(complete(ONE, 'd'.repeat(64))).rejects.toMatchObject({ name: 'LatchRefused' });
  });

  it('is refused where nothing was begun, and without the lease', async () => {
    const { complete, run, leases } = await start();
    await expect(complete(ONE)).rejects.toMatchObject({ name: 'LatchRefused' });
    await run(() => leases.release(OURS));
    await expect(complete(ONE)).rejects.toMatchObject({ name: 'LeaseLost' });
  });
});
