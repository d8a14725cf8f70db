/** Runs the delete workflow of a deployed stack and follows it to its end. */
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListStateMachinesCommand,
  type HistoryEvent as SdkEvent,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { namesOf } from '../../infra/names';
import { type HistoryEvent, Progress } from '../local/progress';
import type { Screen } from '../local/screen';
import { ToolError } from '../run';
import type { Target } from '../target';

const POLL_MS = 2000;

/**
 * Deletes the cluster: its servers, their targets and its record. Safe to run again; without servers it has nothing to do.
 * @throws ToolError with the workflow's cause when it does not succeed
 */
export async function deleteCluster(target: Target, cluster: string, screen: Screen): Promise<void> {
  const client = new SFNClient(target.client);
  const name = namesOf(cluster).deleteStateMachine;
  const stateMachineArn = await findStateMachine(client, name);
  if (stateMachineArn === undefined) throw new ToolError(`${target.description} has no state machine ${name}`);
  const input = JSON.stringify({ confirm: cluster });
  const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input }));
  const progress = new Progress();
  let seen = 0;
  for (;;) {
    // Asked before the history, so that nothing is missed of an execution that has ended.
    const { status, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn }));
    const events = (await history(client, executionArn)).filter(({ id }) => id > seen);
    seen = events.at(-1)?.id ?? seen;
    const changed = events.flatMap((event) => progress.take(event));
    if (status !== 'RUNNING') changed.push(...progress.end(target.now()));
    if (changed.length > 0) screen.show(progress.rows, [...new Set(changed)], target.now());
    if (status !== 'RUNNING') screen.finish(progress.rows, target.now());
    if (status === 'SUCCEEDED') return;
    if (status !== 'RUNNING') {
      throw new ToolError(`the delete workflow ended in ${status}: ${error ?? ''} ${cause ?? ''}`.trimEnd());
    }
    await target.sleep(POLL_MS);
  }
}

async function findStateMachine(client: SFNClient, name: string): Promise<string | undefined> {
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListStateMachinesCommand({ nextToken }));
    const found = page.stateMachines?.find((machine) => machine.name === name);
    if (found) return found.stateMachineArn;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return undefined;
}

async function history(client: SFNClient, executionArn: string | undefined): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new GetExecutionHistoryCommand({ executionArn, nextToken }));
    events.push(...(page.events ?? []).map(eventOf));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return events;
}

function eventOf({
  id = 0,
  previousEventId = 0,
  type = 'ExecutionStarted',
  timestamp,
  ...details
}: SdkEvent): HistoryEvent {
  const { stateEnteredEventDetails, taskSucceededEventDetails } = details;
  return {
    id,
    previousEventId,
    type,
    timestamp: timestamp?.getTime() ?? 0,
    details: {
      ...(stateEnteredEventDetails ? { stateEnteredEventDetails: { ...stateEnteredEventDetails } } : {}),
      ...(taskSucceededEventDetails ? { taskSucceededEventDetails: { ...taskSucceededEventDetails } } : {}),
    },
  };
}
