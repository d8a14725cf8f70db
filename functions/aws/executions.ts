/** Step Functions: whether an execution still runs. */
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionRef } from '../contracts';
import { type ClientSettings, clientSettings } from './client';
import { attempt, isNotFound } from './errors';

export class Executions {
  private readonly client: SFNClient;

  constructor(settings: ClientSettings) {
    this.client = new SFNClient(clientSettings(settings));
  }

  /**
   * False as well when it was redriven since, because then it runs as another holder, and when it is not known any more:
   * Step Functions forgets a Standard execution 90 days after it closed.
   */
  async isRunning({ id, redrive }: ExecutionRef): Promise<boolean> {
    try {
      const { status, redriveCount = 0 } = await attempt('DescribeExecution', () =>
        this.client.send(new DescribeExecutionCommand({ executionArn: id })),
      );
      return status === 'RUNNING' && redriveCount === redrive;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}
