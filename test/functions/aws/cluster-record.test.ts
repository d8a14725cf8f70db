import { emulatedTable } from '../support/table';

const CA_HASH = 'c'.repeat(64);

describe('the record of the cluster', () => {
  it('comes into being with the first wish, and keeps its incarnation', async () => {
    const { records, run } = await emulatedTable();
    expect(await run(() => records.read())).toBeNull();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.want('absent', 'life-2'));
    expect(await run(() => records.read())).toEqual({
      desired: 'absent',
      phase: { name: 'uninitialised' },
      incarnation: 'life-1',
      k3sVersion: null,
      appliedManifests: null,
      paused: false,
    });
  });

  it('keeps its latch when the cluster is wanted once more', async () => {
    const { records, run } = await emulatedTable();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.beginInit('i-1', 'v1'));
    await run(() => records.completeInit('i-1', CA_HASH, 'v1'));
    await run(() => records.want('present', 'life-2'));
    expect(await run(() => records.read())).toMatchObject({
      phase: { name: 'initialised', caHash: CA_HASH },
      incarnation: 'life-1',
    });
  });

  it('lets one instance initialise, and that one complete it', async () => {
    const { records, run } = await emulatedTable();
    await run(() => records.want('present', 'life-1'));
    expect(await run(() => records.beginInit('i-1', 'v1'))).toBe(true);
    expect(await run(() => records.beginInit('i-2', 'v1'))).toBe(false);
    expect(await run(() => records.completeInit('i-2', CA_HASH, 'v1'))).toBe(false);
    expect(await run(() => records.completeInit('i-1', CA_HASH, 'v1'))).toBe(true);
    expect(await run(() => records.read())).toMatchObject({
      phase: { name: 'initialised', caHash: CA_HASH },
      k3sVersion: 'v1',
    });
    expect(await run(() => records.beginInit('i-2', 'v1'))).toBe(false);
  });

  it('moves the latch only from the instance that holds it', async () => {
    const { records, run } = await emulatedTable();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.beginInit('i-1', 'v1'));
    expect(await run(() => records.moveInit('i-9', 'i-2', 'v1'))).toBe(false);
    expect(await run(() => records.moveInit('i-1', 'i-2', 'v1'))).toBe(true);
    expect((await run(() => records.read()))?.phase).toEqual({ name: 'initialising', instanceId: 'i-2' });
  });

  it('is not initialised while nobody wants the cluster', async () => {
    const { records, run } = await emulatedTable();
    await run(() => records.want('absent', 'life-1'));
    expect(await run(() => records.beginInit('i-1', 'v1'))).toBe(false);
  });

  it('is reset under a new incarnation only when the cluster is to be absent', async () => {
    const { records, run } = await emulatedTable();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.beginInit('i-1', 'v1'));
    await run(() => records.completeInit('i-1', CA_HASH, 'v1'));
    await run(() => records.setAppliedManifests('a'.repeat(64)));
    expect(await run(() => records.reset('life-2'))).toBe(false);
    await run(() => records.want('absent', 'x'));
    expect(await run(() => records.reset('life-2'))).toBe(true);
    expect(await run(() => records.read())).toEqual({
      desired: 'absent',
      phase: { name: 'uninitialised' },
      incarnation: 'life-2',
      k3sVersion: null,
      appliedManifests: null,
      paused: false,
    });
  });
});
