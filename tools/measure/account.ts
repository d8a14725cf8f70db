/** What an account remembers of a cluster's executions: their histories, and what they said in the log. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { STAGES } from '../../functions/events';
import { type Run, type Step, stepsOf } from '../phases';
import { ToolError } from '../run';
import type { Target } from '../target';

/**
 * The latest executions that succeeded, latest first. Step Functions keeps them for 90 days.
 * @throws ToolError when the state machine is not there
 */
export async function readRuns(target: Target, most: number): Promise<Run[]> {
  const client = new SFNClient(target.client);
  const runs: Run[] = [];
  const stateMachineArn = await findStateMachine(client, target);
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED', maxResults: 100, nextToken }),
    );
    for (const { executionArn: execution = '', startDate, stopDate } of page.executions ?? []) {
      if (!startDate || !stopDate) continue;
      const steps = await readSteps(client, execution);
      runs.push({ execution, startedAt: startDate.getTime(), stoppedAt: stopDate.getTime(), steps });
      if (runs.length === most) return runs;
    }
    nextToken = page.nextToken;
  } while (nextToken);
  return runs;
}

async function findStateMachine(client: SFNClient, { stack, description }: Target): Promise<string> {
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListStateMachinesCommand({ nextToken }));
    const found = page.stateMachines?.find(({ name }) => name === stack);
    if (found?.stateMachineArn) return found.stateMachineArn;
    nextToken = page.nextToken;
  } while (nextToken);
  throw new ToolError(`${description} has no state machine ${stack}: is the stack deployed? --stack names another`);
}

async function readSteps(client: SFNClient, executionArn: string): Promise<Step[]> {
  const steps: Step[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, nextToken }));
    steps.push(...(page.events ?? []).flatMap((event) => stepsOf(event.timestamp?.getTime() ?? Number.NaN, event)));
    nextToken = page.nextToken;
  } while (nextToken);
  return steps;
}

const REPLACED = z.object({
  detailType: z.literal('Node Replaced'),
  execution: z.string(),
  /** Epoch ms. */
  since: z.number(),
  seconds: STAGES,
});

/** When the trouble began that an execution ended, epoch ms, by execution: of those since `from` that the log group keeps. */
export async function readBeginnings({ client, stack }: Target, from: number): Promise<Map<string, number>> {
  const logs = new CloudWatchLogsClient(client);
  const beginnings = new Map<string, number>();
  let nextToken: string | undefined;
  do {
    const page = await logs.send(
      new FilterLogEventsCommand({
        logGroupName: `/aws/lambda/${stack}-publish-event`,
        filterPattern: '"Node Replaced"',
        startTime: from,
        nextToken,
      }),
    );
    for (const { message = '' } of page.events ?? []) {
      const line = REPLACED.safeParse(parsed(message));
      if (line.success) beginnings.set(line.data.execution, line.data.since);
    }
    nextToken = page.nextToken;
  } while (nextToken);
  return beginnings;
}

/** Undefined: not JSON, and so none of the function's own lines. */
function parsed(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
