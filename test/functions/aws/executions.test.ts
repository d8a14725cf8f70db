import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { Executions } from '../../../functions/aws/executions';
import { OURS, OURS_REDRIVEN } from '../support/executions';

const sfn = mockClient(SFNClient);
const executions = new Executions({ region: 'eu-west-3' });

beforeEach(() => sfn.reset());

describe('an execution', () => {
  it.each([
    ['RUNNING', true],
    ['SUCCEEDED', false],
    ['FAILED', false],
    ['TIMED_OUT', false],
    ['ABORTED', false],
    ['PENDING_REDRIVE', false],
  ] as const)('that is %s runs: %s', async (status, running) => {
    sfn.on(DescribeExecutionCommand).resolves({ status });
    expect(await executions.isRunning(OURS)).toBe(running);
  });

  it('that was redriven runs as another holder', async () => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', redriveCount: 1 });
    expect(await executions.isRunning(OURS)).toBe(false);
    expect(await executions.isRunning(OURS_REDRIVEN)).toBe(true);
  });

  it('that Step Functions has forgotten does not run', async () => {
    sfn.on(DescribeExecutionCommand).rejects(Object.assign(new Error('gone'), { name: 'ExecutionDoesNotExist' }));
    expect(await executions.isRunning(OURS)).toBe(false);
  });

  it('that cannot be asked about is not guessed', async () => {
    sfn.on(DescribeExecutionCommand).rejects(Object.assign(new Error('slow'), { name: 'ThrottlingException' }));
    await expect(executions.isRunning(OURS)).rejects.toMatchObject({ name: 'Throttled' });
  });
});

describe('starting an execution', () => {
  const MACHINE = 'arn:aws:states:eu-west-3:123456789012:stateMachine:k3s-demo';

  it('gives its ARN', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: 'arn:execution' });
    expect(await executions.start(MACHINE, 'repair-1', { reason: 'x' })).toBe('arn:execution');
    expect(sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input).toEqual({
      stateMachineArn: MACHINE,
      name: 'repair-1',
      input: '{"reason":"x"}',
    });
  });

  it('of a name that was used starts nothing', async () => {
    sfn.on(StartExecutionCommand).rejects(Object.assign(new Error('used'), { name: 'ExecutionAlreadyExists' }));
    expect(await executions.start(MACHINE, 'repair-1', {})).toBeNull();
  });

  it('that is refused otherwise fails', async () => {
    sfn.on(StartExecutionCommand).rejects(Object.assign(new Error('no'), { name: 'StateMachineDeleting' }));
    await expect(executions.start(MACHINE, 'repair-1', {})).rejects.toThrow('no');
  });
});
