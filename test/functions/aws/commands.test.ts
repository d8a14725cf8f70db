import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  ListCommandsCommand,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { Commands } from '../../../functions/aws/commands';
import { isInvalidInstance } from '../../../functions/aws/errors';
import { OURS } from '../support/executions';

const ssm = mockClient(SSMClient);
const commands = new Commands({ region: 'eu-west-3' }, 'k3s-demo-');
const COMMENT = `${OURS.id}#0`.slice(-100);
const failing = (name: string, status = 400) =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

beforeEach(() => ssm.reset());

describe('sending a script', () => {
  it('names document, instance, parameters and execution, and gives the agent 30 s', async () => {
    ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
    expect(await commands.send('StartServer', 'i-1', { mode: 'join', peerAddress: '10.0.0.1' }, OURS)).toBe('c-1');
    expect(ssm.commandCalls(SendCommandCommand)[0]!.args[0].input).toEqual({
      DocumentName: 'k3s-demo-StartServer',
      InstanceIds: ['i-1'],
      Parameters: { mode: ['join'], peerAddress: ['10.0.0.1'] },
      TimeoutSeconds: 30,
      Comment: COMMENT,
    });
    expect(COMMENT.length).toBeLessThanOrEqual(100);
  });

  it('tells an instance without an agent from other refusals', async () => {
    ssm.on(SendCommandCommand).rejectsOnce(failing('InvalidInstanceId')).rejectsOnce(failing('InvalidDocument'));
    const first = await commands.send('StartServer', 'i-1', {}, OURS).catch((error: unknown) => error);
    const second = await commands.send('StartServer', 'i-1', {}, OURS).catch((error: unknown) => error);
    expect([isInvalidInstance(first), isInvalidInstance(second)]).toEqual([true, false]);
  });

  it('asks all servers with one command', async () => {
    ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
    await commands.ask('ReportStatus', ['i-1', 'i-2']);
    expect(ssm.commandCalls(SendCommandCommand)[0]!.args[0].input).toMatchObject({ InstanceIds: ['i-1', 'i-2'] });
  });
});

describe('an invocation', () => {
  it.each([
    ['Pending', 'Pending', false],
    ['In Progress', 'InProgress', false],
    ['Delayed', 'Delayed', false],
    ['Success', 'Success', true],
    ['Failed', 'Failed', true],
    ['Delivery Timed Out', 'DeliveryTimedOut', true],
    ['ExecutionTimedOut', 'ExecutionTimedOut', true],
    ['Canceled', 'Cancelled', true],
    ['Undeliverable', 'Undeliverable', true],
  ])('reported as "%s" is %s', async (StatusDetails, status, finished) => {
    ssm.on(GetCommandInvocationCommand).resolves({ StatusDetails, ResponseCode: 0 });
    expect(await commands.invocation('c-1', 'i-1')).toMatchObject({ status, finished });
  });

  it('with an undocumented status is an error that names it', async () => {
    ssm.on(GetCommandInvocationCommand).resolves({ StatusDetails: 'Pondering' });
    await expect(commands.invocation('c-1', 'i-1')).rejects.toThrow('unknown command status: "Pondering"');
  });

  it('that SSM does not know yet is nothing', async () => {
    ssm.on(GetCommandInvocationCommand).rejects(failing('InvocationDoesNotExist'));
    expect(await commands.invocation('c-1', 'i-1')).toBeNull();
  });

  it('that cannot be read because of throttling is an error of its own', async () => {
    ssm.on(GetCommandInvocationCommand).rejects(failing('ThrottlingException'));
    await expect(commands.invocation('c-1', 'i-1')).rejects.toMatchObject({ name: 'Throttled' });
  });

  it('is cancelled on its instance', async () => {
    ssm.on(CancelCommandCommand).resolves({});
    await commands.cancel('c-1', 'i-1');
    expect(ssm.commandCalls(CancelCommandCommand)[0]!.args[0].input).toEqual({
      CommandId: 'c-1',
      InstanceIds: ['i-1'],
    });
  });
});

describe('commands in flight', () => {
  it('are the unfinished ones of this execution, from every page', async () => {
    const ours = { Comment: COMMENT, DocumentName: 'k3s-demo-StartServer', InstanceIds: ['i-1'] };
    ssm
      .on(ListCommandsCommand)
      .resolvesOnce({
        Commands: [
          { ...ours, CommandId: 'c-done', Status: 'Success' },
          { ...ours, CommandId: 'c-late', Status: 'TimedOut' },
          { ...ours, CommandId: 'c-other', Comment: 'observing', Status: 'InProgress' },
        ],
        NextToken: 'more',
      })
      .resolvesOnce({
        Commands: [
          { ...ours, CommandId: 'c-running', Status: 'InProgress', Parameters: { mode: ['join'], peerAddress: [''] } },
        ],
      });
    expect(await commands.inFlight(OURS, Date.UTC(2026, 0, 1, 12, 0, 5, 500), 'i-1')).toEqual([
      {
        commandId: 'c-running',
        script: 'StartServer',
        instanceIds: ['i-1'],
        parameters: { mode: 'join', peerAddress: '' },
      },
    ]);
    expect(ssm.commandCalls(ListCommandsCommand).map(({ args }) => args[0].input)).toEqual([
      { InstanceId: 'i-1', Filters: [{ key: 'InvokedAfter', value: '2026-01-01T12:00:04Z' }], NextToken: undefined },
      { InstanceId: 'i-1', Filters: [{ key: 'InvokedAfter', value: '2026-01-01T12:00:04Z' }], NextToken: 'more' },
    ]);
  });
});

describe('agents', () => {
  it('are online or lost; one that SSM does not know is not in the answer', async () => {
    ssm
      .on(DescribeInstanceInformationCommand)
      .resolvesOnce({ InstanceInformationList: [{ InstanceId: 'i-1', PingStatus: 'Online' }], NextToken: 'more' })
      .resolvesOnce({ InstanceInformationList: [{ InstanceId: 'i-2', PingStatus: 'ConnectionLost' }] });
    expect(await commands.agents(['i-1', 'i-2', 'i-3'])).toEqual(
      new Map([
        ['i-1', 'online'],
        ['i-2', 'lost'],
      ]),
    );
  });

  it('are not asked for when there are no instances', async () => {
    expect(await commands.agents([])).toEqual(new Map());
    expect(ssm.calls()).toEqual([]);
  });
});
