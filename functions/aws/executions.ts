/** Step Functions: starts executions, and tells whether one still runs. */
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ExecutionRef } from '../contracts';
import { type ClientSettings, clientSettings } from './client';
import { attempt, isAlreadyStarted, isNotFound } from './errors';

export class Executions {
  private readonly client: SFNClient;

  constructor(settings: ClientSettings) {
    this.client = new SFNClient(clientSettings(settings));
  }

  /**
   * Null: an execution of that name was started before.
   * @param name up to 80 letters, digits, hyphens and underscores; a used one is refused for 90 days
   */
  async start(stateMachineArn: string, name: string, input: object): Promise<string | null> {
    try {
      const { executionArn } = await attempt('StartExecution', () =>
        this.client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })),
      );
      return executionArn ?? null;
    } catch (error) {
      if (isAlreadyStarted(error)) return null;
      throw error;
    }
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
