import type { UnfinishedCommand } from '../../../functions/aws/commands';
import type { Machine } from '../../../functions/aws/instances';
import { sendCommand } from '../../../functions/send-command/send-command';
import { OURS, THEIRS } from '../support/executions';
import { silent } from '../support/log';
import { machine } from '../support/machine';
import { emulatedTable } from '../support/table';

const INPUT = {
  execution: OURS,
  instanceId: 'i-00000001',
  script: 'StartServer' as const,
  parameters: { mode: 'init' },
};

const C9 = { commandId: 'c-9', instanceIds: ['i-00000001'] };

async function start(found: Machine | null = machine('i-00000001')) {
  const emulated = await emulatedTable();
  const { leases, run, now } = emulated;
  await run(() => leases.acquire(OURS, 'cluster', now()));
  const running: UnfinishedCommand[] = [];
  const ssm = {
    sent: 0,
    cancelled: [] as string[],
    failure: null as Error | null,
    whileSending: async () => {},
    inFlight: async () => running,
    cancel: async (commandId: string) => {
      ssm.cancelled.push(commandId);
    },
    send: async () => {
      if (ssm.failure) throw ssm.failure;
      await ssm.whileSending();
      return `c-${++ssm.sent}`;
    },
  };
  const deps = { leases, commands: ssm, instances: { find: async () => found } };
  const send = () => run(() => sendCommand(INPUT, deps, silent));
  const commands = async () => (await run(() => leases.read()))?.commands;
  return { ...emulated, ssm, running, send, commands };
}

describe('sending a command', () => {
  it('notes it in the lease', async () => {
    const { send, commands } = await start();
    expect(await send()).toEqual({ commandId: 'c-1', instanceId: 'i-00000001', script: 'StartServer' });
    expect(await commands()).toEqual({ 'c-1': 'i-00000001' });
  });

  it('does not run a script twice at once: the one in flight is the one', async () => {
    const { send, running, ssm, commands } = await start();
    running.push({ ...C9, script: 'StartServer', parameters: { mode: 'init' } });
    expect(await send()).toMatchObject({ commandId: 'c-9' });
    expect(ssm.sent).toBe(0);
    expect(await commands()).toEqual({ 'c-9': 'i-00000001' });
  });

  it('does not take the same script with other parameters for it, and cancels that', async () => {
    const { send, running, ssm } = await start();
    running.push({ ...C9, script: 'StartServer', parameters: { mode: 'join' } });
    expect(await send()).toMatchObject({ commandId: 'c-1' });
    expect(ssm.cancelled).toEqual(['c-9']);
  });

  it('is not kept from it by another script in flight', async () => {
    const { send, running } = await start();
    running.push({ ...C9, script: 'ApplyManifests', parameters: {} });
    expect(await send()).toMatchObject({ commandId: 'c-1' });
  });

  it('needs the lease', async () => {
    const { send, run, leases, ssm } = await start();
    await run(() => leases.release(OURS));
    await expect(send()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ssm.sent).toBe(0);
  });

  it('takes it back when the lease goes while it is sent', async () => {
    const { send, leases, ssm } = await start();
    ssm.whileSending = async () => {
      await leases.release(OURS);
      await leases.acquire(THEIRS, 'cluster', 1);
    };
    await expect(send()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ssm.cancelled).toEqual(['c-1']);
  });
});

describe('a server that takes no command', () => {
  const invalid = Object.assign(new Error('not in a valid state'), { name: 'InvalidInstanceId' });

  it.each([
    ['still boots', machine('i-00000001')],
    ['is not known to EC2 yet', null],
  ])('has no agent yet when it %s', async (_what, found) => {
    const { send, ssm } = await start(found);
    ssm.failure = invalid;
    await expect(send()).rejects.toMatchObject({ name: 'AgentOffline' });
  });

  it('is lost when it does not run', async () => {
    const { send, ssm } = await start(machine('i-00000001', { state: 'terminated' }));
    ssm.failure = invalid;
    await expect(send()).rejects.toMatchObject({ name: 'ServerLost' });
  });

  it('is not blamed for another refusal', async () => {
    const { send, ssm } = await start();
    ssm.failure = Object.assign(new Error('no such document'), { name: 'InvalidDocument' });
    await expect(send()).rejects.toMatchObject({ name: 'InvalidDocument' });
  });
});
