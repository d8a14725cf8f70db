import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
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
