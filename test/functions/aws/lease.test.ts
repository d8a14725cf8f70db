import { OURS, OURS_REDRIVEN, THEIRS } from '../support/executions';
import { emulatedTable } from '../support/table';

describe('the lease', () => {
  it('is taken by one execution only', async () => {
    const { leases, run } = await emulatedTable();
    expect(await run(() => leases.read())).toBeNull();
    expect(await run(() => leases.acquire(OURS, 'cluster', 1000))).toBe(true);
    expect(await run(() => leases.acquire(THEIRS, 'cluster', 2000))).toBe(false);
    expect(await run(() => leases.read())).toEqual({ holder: OURS, acquiredAt: 1000, staleSince: null, commands: {} });
  });

  it('is required by name: a redriven execution is another holder', async () => {
    const { leases, run } = await emulatedTable();
    await expect(run(() => leases.require(OURS))).rejects.toMatchObject({
      name: 'LeaseLost',
      message: 'nobody holds the lease',
    });
    await run(() => leases.acquire(OURS, 'cluster', 1000));
    await run(() => leases.require(OURS));
    await expect(run(() => leases.require(OURS_REDRIVEN))).rejects.toMatchObject({
      name: 'LeaseLost',
      message: `the lease is held by ${OURS.id}#0`,
    });
  });

  it('counts the first sighting of a holder that does not run', async () => {
    const { leases, run } = await emulatedTable();
    await run(() => leases.acquire(OURS, 'cluster', 1000));
    expect(await run(() => leases.markStale(OURS, 5000))).toBe(true);
    expect(await run(() => leases.markStale(OURS, 9000))).toBe(false);
    expect((await run(() => leases.read()))?.staleSince).toBe(5000);
  });

  it('is taken over only from the very state that was judged', async () => {
    const { leases, run } = await emulatedTable();
    await run(() => leases.acquire(THEIRS, 'cluster', 1000));
    await run(() => leases.markStale(THEIRS, 5000));
    const stale = (await run(() => leases.read()))!;
    await run(() => leases.release(THEIRS));
    await run(() => leases.acquire(THEIRS, 'cluster', 6000));
    expect(await run(() => leases.takeOver(stale, OURS, 'delete', 99_000))).toBe(false);
    await run(() => leases.markStale(THEIRS, 7000));
    const again = (await run(() => leases.read()))!;
    expect(await run(() => leases.takeOver(again, OURS, 'delete', 99_000))).toBe(true);
    expect(await run(() => leases.read())).toEqual({
      holder: OURS,
      acquiredAt: 99_000,
      staleSince: null,
      commands: {},
    });
  });

  it('remembers the commands in flight, of its holder only', async () => {
    const { leases, run } = await emulatedTable();
    await run(() => leases.acquire(OURS, 'cluster', 1000));
    expect(await run(() => leases.addCommand(OURS, 'c-1', 'i-1'))).toBe(true);
    expect(await run(() => leases.addCommand(OURS, 'c-2', 'i-2'))).toBe(true);
    expect(await run(() => leases.addCommand(THEIRS, 'c-3', 'i-3'))).toBe(false);
    await run(() => leases.removeCommand(OURS, 'c-1'));
    await run(() => leases.removeCommand(THEIRS, 'c-2'));
    expect((await run(() => leases.read()))?.commands).toEqual({ 'c-2': 'i-2' });
  });

  it('is released by its holder only', async () => {
    const { leases, run } = await emulatedTable();
    await run(() => leases.acquire(OURS, 'cluster', 1000));
    expect(await run(() => leases.release(THEIRS))).toBe(false);
    expect(await run(() => leases.release(OURS))).toBe(true);
    expect(await run(() => leases.read())).toBeNull();
  });
});
