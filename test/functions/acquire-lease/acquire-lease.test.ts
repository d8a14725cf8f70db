import { acquireLease, type Deps } from '../../../functions/acquire-lease/acquire-lease';
import type { CommandOnInstance } from '../../../functions/aws/in-flight';
import { leaseHolder } from '../../../functions/cluster/names';
import type { ExecutionRef } from '../../../functions/contracts';
import { OURS, OURS_REDRIVEN, THEIRS } from '../support/executions';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';

async function start(options?: { maxAttempts: number }) {
  const emulated = await emulatedTable(options);
  const { world, leases, records, run, now } = emulated;
  const running = new Set<string>();
  const inFlight: CommandOnInstance[] = [];
  const deps: Deps = {
    cluster: 'demo',
    leases,
    records,
    executions: { isRunning: async (execution) => running.has(leaseHolder(execution)) },
    cancelInFlight: async () => inFlight,
    now,
    uuid: () => world.random.uuid(),
  };
  const acquire = (
    input: unknown = {},
    { workflow = 'cluster', execution = OURS }: { workflow?: 'cluster' | 'delete'; execution?: ExecutionRef } = {},
  ) => run(() => acquireLease({ workflow, execution, input }, deps, silent));
  const holder = async () => (await run(() => leases.read()))?.holder ?? null;
  return { ...emulated, deps, running, inFlight, acquire, holder };
}

describe('the execution input', () => {
  it.each([
    [{ bogus: 1, reason: 7 }, /reason: .*; bogus: is not a known field/],
    ['text', /input: .*expected object/],
    [{ origin: 'robot' }, /origin: /],
    [{ reason: 'x'.repeat(501) }, /reason: /],
  ])('%j is refused before anything is touched, naming the field', async (input, message) => {
    const { acquire, holder } = await start();
    await expect(acquire(input)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(message),
    });
    expect(await holder()).toBeNull();
  });

  it.each([[{}], [{ confirm: 'other' }], [{ confirm: 3 }]])('%j does not delete', async (input) => {
    const { acquire, holder } = await start();
    await expect(acquire(input, { workflow: 'delete' })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('confirm: '),
    });
    expect(await holder()).toBeNull();
  });

  it('deletes when it confirms the name of the cluster', async () => {
    const { acquire, run, records } = await start();
    expect(await acquire({ confirm: 'demo' }, { workflow: 'delete' })).toMatchObject({ status: 'acquired' });
    expect(await run(() => records.read())).toBeNull();
  });
});

describe('acquiring the lease', () => {
  it('makes the cluster wanted when a person starts the workflow', async () => {
    const { acquire, run, records } = await start();
    expect(await acquire({ reason: 'first try' })).toEqual({
      status: 'acquired',
      reason: 'first try',
      origin: 'person',
    });
    expect(await run(() => records.read())).toMatchObject({ desired: 'present', phase: { name: 'uninitialised' } });
  });

  it('succeeds again for the same execution', async () => {
    const { acquire } = await start();
    await acquire();
    expect(await acquire()).toMatchObject({ status: 'acquired' });
  });

  it.each(['UpdateItem', 'GetItem'])('succeeds although the answer of %s is lost', async (operation) => {
    const { acquire, loseReply, holder } = await start();
    loseReply(operation);
    await expect(acquire()).rejects.toThrow();
    expect(await acquire()).toMatchObject({ status: 'acquired' });
    expect(await holder()).toEqual(OURS);
  });

  it('succeeds although the SDK sends a write again that had taken effect', async () => {
    const { acquire, loseReply, holder } = await start({ maxAttempts: 2 });
    loseReply('UpdateItem');
    expect(await acquire()).toMatchObject({ status: 'acquired' });
    expect(await holder()).toEqual(OURS);
  });

  it.each([
    ['cluster', {}],
    ['delete', { confirm: 'demo' }],
  ] as const)(
    'names the execution that runs and holds it, however long, to the %s workflow',
    async (workflow, input) => {
      const { acquire, running, holder, world } = await start();
      await acquire({}, { execution: THEIRS });
      running.add(leaseHolder(THEIRS));
      for (const minutes of [0, 2, 60]) {
        await world.clock.advance(minutes * 60_000);
        expect(await acquire(input, { workflow })).toMatchObject({ status: 'held', holder: THEIRS.id });
      }
      expect(await holder()).toEqual(THEIRS);
    },
  );
});

describe('the lease of an execution that does not run any more', () => {
  it('is taken over after a second look 60 s later, not before', async () => {
    const { acquire, holder, world } = await start();
    await acquire({}, { execution: THEIRS });
    expect(await acquire()).toMatchObject({ status: 'stale', holder: THEIRS.id, recheckAfterSeconds: 60 });
    await world.clock.advance(50_000);
    const again = await acquire();
    expect(again).toMatchObject({ status: 'stale', holder: THEIRS.id });
    expect(again.status === 'stale' && again.recheckAfterSeconds).toBeLessThanOrEqual(10);
    expect(await holder()).toEqual(THEIRS);
    await world.clock.advance(10_000);
    expect(await acquire()).toMatchObject({ status: 'acquired' });
    expect(await holder()).toEqual(OURS);
  });

  it('is not taken over while a command of it runs on a node', async () => {
    const { acquire, holder, world, inFlight } = await start();
    await acquire({}, { execution: THEIRS });
    await acquire();
    await world.clock.advance(60_000);
    inFlight.push({ commandId: 'c-1', instanceId: 'i-1' });
    expect(await acquire()).toMatchObject({
      status: 'stale',
      recheckAfterSeconds: 15,
      message: expect.stringContaining('c-1 on i-1'),
    });
    expect(await holder()).toEqual(THEIRS);
    inFlight.pop();
    expect(await acquire()).toMatchObject({ status: 'acquired' });
  });

  it('is held again when it turns out to run after all', async () => {
    const { acquire, world, running } = await start();
    await acquire({}, { execution: THEIRS });
    await acquire();
    await world.clock.advance(60_000);
    running.add(leaseHolder(THEIRS));
    expect(await acquire()).toMatchObject({ status: 'held' });
  });

  it('may have been its own, before it was redriven', async () => {
    const { acquire, world, running, holder } = await start();
    await acquire();
    running.add(leaseHolder(OURS_REDRIVEN));
    expect(await acquire({}, { execution: OURS_REDRIVEN })).toMatchObject({ status: 'stale' });
    await world.clock.advance(60_000);
    expect(await acquire({}, { execution: OURS_REDRIVEN })).toMatchObject({ status: 'acquired' });
    expect(await holder()).toEqual(OURS_REDRIVEN);
  });
});

describe('the healer', () => {
  const healer = { origin: 'healer', reason: 'server-1 is gone' };

  it('creates no first cluster', async () => {
    const { acquire, holder } = await start();
    expect(await acquire(healer)).toMatchObject({ status: 'declined', message: expect.stringContaining('nobody') });
    expect(await holder()).toBeNull();
  });

  it('does not finish one that a person has only begun', async () => {
    const { acquire, run, records, holder } = await start();
    await run(() => records.want('present', 'life-1'));
    expect(await acquire(healer)).toMatchObject({ status: 'declined' });
    expect(await holder()).toBeNull();
  });

  it('acts on a cluster that is wanted and initialised', async () => {
    const { acquire, run, records } = await start();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.beginInit('i-1', 'v1'));
    await run(() => records.completeInit('i-1', 'c'.repeat(64), 'v1'));
    expect(await acquire(healer)).toEqual({ status: 'acquired', reason: 'server-1 is gone', origin: 'healer' });
  });

  it('resurrects nothing that was deleted', async () => {
    const { acquire, run, records } = await start();
    await run(() => records.want('present', 'life-1'));
    await run(() => records.beginInit('i-1', 'v1'));
    await run(() => records.completeInit('i-1', 'c'.repeat(64), 'v1'));
    await run(() => records.want('absent', 'life-1'));
    expect(await acquire(healer)).toMatchObject({ status: 'declined', message: expect.stringContaining('absent') });
    expect(await run(() => records.read())).toMatchObject({ desired: 'absent' });
  });
});
