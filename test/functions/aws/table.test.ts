import { ClusterRecords } from '../../../functions/aws/cluster-record';
import { Slots } from '../../../functions/aws/slots';
import { OURS } from '../support/executions';
import { emulatedTable } from '../support/table';

describe('a read', () => {
  it('sees what was written a moment ago, one item or all of them', async () => {
    const { table, records, run, lag } = await emulatedTable();
    await run(() => records.want('present', 'life-1'));
    lag(60_000);
    await run(() => records.want('absent', 'life-1'));
    expect(await run(() => records.read())).toMatchObject({ desired: 'absent' });
    const snapshot = await run(() => table.snapshot());
    expect(await new ClusterRecords(snapshot).read()).toMatchObject({ desired: 'absent' });
  });
});

describe('a snapshot of the table', () => {
  it('answers from memory what was there, and writes to the table', async () => {
    const { table, records, slots, run } = await emulatedTable();
    await run(() => records.want('present', 'life-1'));
    await run(() => slots.beginLaunch(1, 0, 't4g.medium', OURS));
    const snapshot = await run(() => table.snapshot());
    await run(() => records.want('absent', 'life-1'));
    expect(await new ClusterRecords(snapshot).read()).toMatchObject({ desired: 'present', incarnation: 'life-1' });
    expect(await new Slots(snapshot).read(1)).toMatchObject({ generation: 1 });
    expect(await new Slots(snapshot).read(2)).toMatchObject({ generation: 0 });
    await run(() => new ClusterRecords(snapshot).want('present', 'life-1'));
    expect(await run(() => records.read())).toMatchObject({ desired: 'present' });
  });

  it('names the fields of an item that nobody can have written', async () => {
    const { table, run } = await emulatedTable();
    await run(() => table.change('cluster', { set: [['desired', 'perhaps']], when: [] }));
    const snapshot = await run(() => table.snapshot());
    await expect(new ClusterRecords(snapshot).read()).rejects.toMatchObject({
      name: 'MalformedItem',
      message: expect.stringContaining('item cluster of the table'),
    });
  });
});
