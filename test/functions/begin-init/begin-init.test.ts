import type { Machine } from '../../../functions/aws/instances';
import { beginInit } from '../../../functions/begin-init/begin-init';
import { OURS } from '../support/executions';
import { silent } from '../support/log';
import { machine } from '../support/machine';
import { emulatedTable } from '../support/table';

const ONE = 'i-00000001';
const TWO = 'i-00000002';

async function start(options?: { maxAttempts: number }) {
  const emulated = await emulatedTable(options);
  const { leases, records, slots, run, now } = emulated;
  await run(() => leases.acquire(OURS, 'cluster', now()));
  await run(() => records.want('present', 'life-1'));
  const machines = new Map<string, Machine>();
  const instances = { find: async (id: string) => machines.get(id) ?? null };
  const online = new Set([ONE, TWO]);
  const agents = async (ids: string[]) =>
    new Map(ids.map((id) => [id, online.has(id) ? ('online' as const) : ('lost' as const)]));
  const deps = { k3sVersion: 'v1', leases, records, slots, instances, commands: { agents }, now };
  const begin = (...candidates: string[]) => run(() => beginInit({ execution: OURS, candidates }, deps, silent));
  const phase = async () => (await run(() => records.read()))?.phase;
  return { ...emulated, machines, online, begin, phase };
}

describe('the latch', () => {
  it('closes behind the first server, with the version it starts', async () => {
    const { begin, phase, run, records } = await start();
    await begin(ONE);
    expect(await phase()).toEqual({ name: 'initialising', instanceId: ONE });
    expect((await run(() => records.read()))?.k3sVersion).toBe('v1');
  });

  it('closes behind the first candidate that takes commands', async () => {
    const { begin, online, phase } = await start();
    online.delete(ONE);
    expect(await begin(ONE, TWO)).toEqual({ instanceId: TWO });
    expect(await phase()).toEqual({ name: 'initialising', instanceId: TWO });
  });

  it('stays open while no candidate takes commands', async () => {
    const { begin, online, phase } = await start();
    online.clear();
    await expect(begin(ONE, TWO)).rejects.toMatchObject({ name: 'AgentOffline' });
    expect(await phase()).toEqual({ name: 'uninitialised' });
  });

  it('once closed, names the same server whoever takes commands now', async () => {
    const { begin, online } = await start();
    online.delete(ONE);
    await begin(ONE, TWO);
    online.add(ONE);
    online.delete(TWO);
    expect(await begin(ONE, TWO)).toEqual({ instanceId: TWO });
  });

  it('opens again for the same server only', async () => {
    const { begin, machines } = await start();
    await begin(ONE);
    await begin(ONE);
    machines.set(ONE, machine(ONE));
    await expect(begin(TWO)).rejects.toMatchObject({
      name: 'LatchRefused',
      message: expect.stringContaining('is running'),
    });
  });

  it.each(['shutting-down', 'stopped', 'pending'] as const)(
    'stays with a former server that is only %s',
    async (state) => {
      const { begin, machines } = await start();
      await begin(ONE);
      machines.set(ONE, machine(ONE, { state }));
      await expect(begin(TWO)).rejects.toMatchObject({ name: 'LatchRefused' });
    },
  );

  it('moves on when the former server is terminated', async () => {
    const { begin, machines, phase } = await start();
    await begin(ONE);
    machines.set(ONE, machine(ONE, { state: 'terminated' }));
    await begin(TWO);
    expect(await phase()).toEqual({ name: 'initialising', instanceId: TWO });
  });

  it('never opens for an initialised cluster', async () => {
    const { begin, run, records, machines } = await start();
    await begin(ONE);
    await run(() => records.completeInit(ONE, 'c'.repeat(64), 'v1'));
    machines.set(ONE, machine(ONE, { state: 'terminated' }));
    await expect(begin(ONE)).rejects.toMatchObject({ name: 'LatchRefused' });
    await expect(begin(TWO)).rejects.toMatchObject({ name: 'LatchRefused' });
  });

  it('is closed although the answer to closing it was lost', async () => {
    const { begin, loseReply, phase } = await start();
    loseReply('UpdateItem');
    await expect(begin(ONE)).rejects.toThrow();
    await begin(ONE);
    expect(await phase()).toEqual({ name: 'initialising', instanceId: ONE });
  });

  it('is closed once when the SDK closes it twice', async () => {
    const { begin, loseReply, phase } = await start({ maxAttempts: 2 });
    loseReply('UpdateItem');
    await begin(ONE);
    expect(await phase()).toEqual({ name: 'initialising', instanceId: ONE });
  });

  it('is not for a cluster that nobody wants, nor without the lease', async () => {
    const { begin, run, records, leases } = await start();
    await run(() => records.want('absent', 'x'));
    await expect(begin(ONE)).rejects.toMatchObject({ name: 'LatchRefused' });
    await run(() => leases.release(OURS));
    await expect(begin(ONE)).rejects.toMatchObject({ name: 'LeaseLost' });
  });
});

describe('a former server that EC2 has forgotten', () => {
  async function forgotten(launchedAgoMs: number) {
    const started = await start();
    const { run, slots, now } = started;
    await run(() => slots.beginLaunch(0, 0, 't4g.medium', OURS));
    const launch = { instanceId: ONE, generation: 1, launchedAt: now() - launchedAgoMs };
    await run(() => slots.completeLaunch(0, launch));
    await started.begin(ONE);
    return started;
  }

  it('lets the latch move on: EC2 forgets about an hour after termination', async () => {
    const { begin, phase } = await forgotten(3_600_000);
    await begin(TWO);
    expect(await phase()).toEqual({ name: 'initialising', instanceId: TWO });
  });

  it('keeps it while EC2 may not know it yet', async () => {
    const { begin } = await forgotten(30_000);
    await expect(begin(TWO)).rejects.toMatchObject({ name: 'LatchRefused' });
  });
});
