import { OURS, THEIRS } from '../support/executions';
import { emulatedTable } from '../support/table';

const NEVER = {
  slot: 1,
  generation: 0,
  instances: [],
  suspicion: null,
  departures: [],
  replacing: null,
  launching: null,
  launchedBy: null,
};

describe('the inventory', () => {
  it('knows nothing of a slot that never had a server', async () => {
    const { slots, run } = await emulatedTable();
    expect(await run(() => slots.read(1))).toEqual(NEVER);
    expect(await run(() => slots.readAll())).toHaveLength(5);
  });

  it('counts a generation once, whoever asks', async () => {
    const { slots, run } = await emulatedTable();
    expect(await run(() => slots.beginLaunch(1, 0, 'm7g.medium', OURS))).toBe(true);
    expect(await run(() => slots.beginLaunch(1, 0, 'm7g.medium', THEIRS))).toBe(false);
    expect(await run(() => slots.read(1))).toMatchObject({
      generation: 1,
      launching: { generation: 1, instanceType: 'm7g.medium' },
      launchedBy: `${OURS.id}#0`,
      instances: [],
    });
  });

  it('records a launch once, and then knows its instance', async () => {
    const { slots, run } = await emulatedTable();
    const launched = { instanceId: 'i-1', generation: 1, launchedAt: 5000, privateIp: '10.0.1.7' };
    await run(() => slots.beginLaunch(1, 0, 'm7g.medium', OURS));
    expect(await run(() => slots.changeLaunch(1, 1, 't4g.medium'))).toBe(true);
    expect((await run(() => slots.read(1))).launching?.instanceType).toBe('t4g.medium');
    expect(await run(() => slots.completeLaunch(1, launched))).toBe(true);
    expect(await run(() => slots.completeLaunch(1, launched))).toBe(false);
    expect(await run(() => slots.read(1))).toMatchObject({ launching: null, instances: [launched] });
  });

  it('lists instances oldest first, and keeps the generation when they are forgotten', async () => {
    const { slots, run } = await emulatedTable();
    for (const [former, instanceId] of ['i-b', 'i-a'].entries()) {
      await run(() => slots.beginLaunch(1, former, 'm7g.medium', OURS));
      await run(() => slots.completeLaunch(1, { instanceId, generation: former + 1, launchedAt: 1 }));
    }
    expect((await run(() => slots.read(1))).instances.map(({ instanceId }) => instanceId)).toEqual(['i-b', 'i-a']);
    expect(await run(() => slots.forget(1, 'i-b', null, []))).toBe(true);
    expect(await run(() => slots.forget(1, 'i-b', null, []))).toBe(false);
    expect(await run(() => slots.forget(1, 'i-a', null, []))).toBe(true);
    expect(await run(() => slots.read(1))).toMatchObject({ generation: 2, instances: [] });
  });

  it('remembers a departure in the very write that forgets, of which the answer may be lost', async () => {
    const { slots, loseReply, run } = await emulatedTable();
    await run(() => slots.beginLaunch(1, 0, 'm7g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId: 'i-1', generation: 1, launchedAt: 1 }));
    const departure = { instanceId: 'i-1', at: 7000, failed: false, incarnation: 'life-1' };
    loseReply('UpdateItem');
    await expect(run(() => slots.forget(1, 'i-1', departure, []))).rejects.toThrow();
    expect(await run(() => slots.read(1))).toMatchObject({ instances: [], departures: [departure] });
    expect(await run(() => slots.forget(1, 'i-1', { ...departure, at: 9000 }, []))).toBe(false);
    expect((await run(() => slots.read(1))).departures).toEqual([departure]);
  });

  it('remembers each departure by its instance, until it is outdated', async () => {
    const { slots, run } = await emulatedTable();
    for (const [former, instanceId] of ['i-1', 'i-2', 'i-3'].entries()) {
      await run(() => slots.beginLaunch(1, former, 'm7g.medium', OURS));
      await run(() => slots.completeLaunch(1, { instanceId, generation: former + 1, launchedAt: 1 }));
    }
    const first = { instanceId: 'i-1', at: 1000, failed: false, incarnation: 'life-1' };
    const second = { instanceId: 'i-2', at: 2000, failed: true, incarnation: null };
    await run(() => slots.forget(1, 'i-1', first, []));
    await run(() => slots.forget(1, 'i-2', second, ['i-never']));
    expect((await run(() => slots.read(1))).departures).toEqual([first, second]);
    await run(() => slots.forget(1, 'i-3', null, ['i-1']));
    expect((await run(() => slots.read(1))).departures).toEqual([second]);
  });

  it('keeps what speaks against a server as long as it is in the inventory', async () => {
    const { slots, run } = await emulatedTable();
    const suspicion = { instanceId: 'i-1', since: 7000, lastSeen: 8000, signals: ['Node not Ready'] };
    await run(() => slots.setSuspicion(1, suspicion));
    expect((await run(() => slots.read(1))).suspicion).toBeNull();
    await run(() => slots.beginLaunch(1, 0, 'm7g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId: 'i-1', generation: 1, launchedAt: 1 }));
    await run(() => slots.setSuspicion(1, suspicion));
    expect((await run(() => slots.read(1))).suspicion).toEqual(suspicion);
    await run(() => slots.setSuspicion(1, null));
    expect((await run(() => slots.read(1))).suspicion).toBeNull();
    await run(() => slots.setSuspicion(1, suspicion));
    await run(() => slots.forget(1, 'i-1', null, []));
    expect((await run(() => slots.read(1))).suspicion).toBeNull();
  });

  it('keeps what speaks against a machine whose launch was never completed', async () => {
    const { slots, run } = await emulatedTable();
    const suspicion = { instanceId: 'i-1', since: 7000, lastSeen: 8000, signals: ['stopped'] };
    await run(() => slots.beginLaunch(1, 0, 'm7g.medium', OURS));
    await run(() => slots.setSuspicion(1, suspicion));
    expect((await run(() => slots.read(1))).suspicion).toEqual(suspicion);
  });

  it('refuses an item that nobody who follows the contract can have written', async () => {
    const { slots, table, run } = await emulatedTable();
    await run(() => table.change('slot/1', { set: [['generation', 'three']], when: [] }));
    await expect(run(() => slots.read(1))).rejects.toMatchObject({
      name: 'MalformedItem',
      message: expect.stringMatching(/item slot\/1 .*generation: .*; instances: /),
    });
  });

  it('says that it was throttled when it was', async () => {
    const { slots, world, run } = await emulatedTable();
    world.faults.onCall('dynamodb', 'GetItem', { kind: 'throttle' });
    await expect(run(() => slots.read(1))).rejects.toMatchObject({ name: 'Throttled' });
  });
});
