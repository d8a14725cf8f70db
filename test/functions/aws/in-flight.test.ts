import type { Invocation, UnfinishedCommand } from '../../../functions/aws/commands';
import { canceller } from '../../../functions/aws/in-flight';
import type { Machine } from '../../../functions/aws/instances';
import { OURS } from '../support/executions';

const invocation = (finished: boolean): Invocation => ({
  status: finished ? 'Success' : 'InProgress',
  finished,
  exitCode: 0,
  stdout: '',
  stderr: '',
});

function ssm(invocations: Record<string, Invocation | null>, listed: UnfinishedCommand[] = []) {
  const cancelled: string[] = [];
  return {
    cancelled,
    inFlight: async () => listed,
    invocation: async (commandId: string) => invocations[commandId] ?? null,
    cancel: async (commandId: string) => {
      cancelled.push(commandId);
    },
  };
}

const ec2 = (states: Record<string, Machine['state']>) => ({
  byId: async (ids: string[]) =>
    ids.flatMap((instanceId): Machine[] => {
      const state = states[instanceId];
      return state
        ? [
            {
              instanceId,
              state,
              tags: null,
              instanceType: '',
              availabilityZone: null,
              privateIp: null,
              launchedAt: null,
              stateReason: null,
            },
          ]
        : [];
    }),
});

const lease = (commands: Record<string, string>) => ({ holder: OURS, acquiredAt: 1, staleSince: null, commands });

describe('commands of a lease holder', () => {
  it('that have ended are nobody’s concern', async () => {
    const commands = ssm({ 'c-1': invocation(true) });
    expect(await canceller(commands, ec2({}))(lease({ 'c-1': 'i-1' }))).toEqual([]);
    expect(commands.cancelled).toEqual([]);
  });

  it('that still run are cancelled and named', async () => {
    const commands = ssm({ 'c-1': invocation(false) });
    expect(await canceller(commands, ec2({ 'i-1': 'running' }))(lease({ 'c-1': 'i-1' }))).toEqual([
      { commandId: 'c-1', instanceId: 'i-1' },
    ]);
    expect(commands.cancelled).toEqual(['c-1']);
  });

  it('that were sent just before a crash are known to SSM only, and cancelled too', async () => {
    const commands = ssm({}, [{ commandId: 'c-9', script: 'StartServer', instanceIds: ['i-1'], parameters: {} }]);
    expect(await canceller(commands, ec2({ 'i-1': 'running' }))(lease({}))).toHaveLength(1);
    expect(commands.cancelled).toEqual(['c-9']);
  });

  it.each([['terminated'], [undefined]] as const)('on an instance that is %s have ended', async (state) => {
    const commands = ssm({ 'c-1': invocation(false) });
    const machines = ec2(state ? { 'i-1': state } : {});
    expect(await canceller(commands, machines)(lease({ 'c-1': 'i-1' }))).toEqual([]);
    expect(commands.cancelled).toEqual([]);
  });
});
