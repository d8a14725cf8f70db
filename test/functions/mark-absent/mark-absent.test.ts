import { markAbsent } from '../../../functions/mark-absent/mark-absent';
import { OURS } from '../support/executions';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';

async function start() {
  const emulated = await emulatedTable();
  const { leases, records, run, now } = emulated;
  await run(() => leases.acquire(OURS, 'delete', now()));
  const mark = () => run(() => markAbsent({ execution: OURS }, { leases, records, uuid: () => 'life-9' }, silent));
  return { ...emulated, mark };
}

describe('marking the cluster absent', () => {
  it('keeps what the record says otherwise', async () => {
    const { mark, run, records } = await start();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.beginInit('i-00000001', 'v1'));
    await mark();
    await mark();
    expect(await run(() => records.read())).toMatchObject({
      desired: 'absent',
      incarnation: 'life-1',
      phase: { name: 'initialising' },
    });
  });

  it('works where no cluster ever was', async () => {
    const { mark, run, records } = await start();
    await mark();
    expect(await run(() => records.read())).toMatchObject({ desired: 'absent', phase: { name: 'uninitialised' } });
  });

  it('needs the lease', async () => {
    const { mark, run, leases, records } = await start();
    await run(() => leases.release(OURS));
    await expect(mark()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(await run(() => records.read())).toBeNull();
  });
});
