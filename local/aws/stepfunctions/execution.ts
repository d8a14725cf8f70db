/** An execution and the ways the API and EventBridge describe it. */
import { type HistoryEvent, Stopped } from '../../states-language';
import type { ServiceEvent } from '../events/event';
import type { StateMachine } from './state-machine';

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** Read-only outside this service. Times are milliseconds since the epoch. */
export class Execution {
  status: Status = 'RUNNING';
  stoppedAt: number | undefined;
  /** JSON text. */
  output: string | undefined;
  error: string | undefined;
  cause: string | undefined;
  /** States entered and retries, as AWS bills them. */
  transitions = 0;
  readonly history: HistoryEvent[] = [];
  private readonly controller = new AbortController();

  constructor(
    readonly arn: string,
    readonly name: string,
    readonly stateMachine: StateMachine,
    /** JSON text. */
    readonly input: string,
    readonly startedAt: number,
    /** Where it stands in the order in which executions were started. */
    readonly order: number,
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  stop(error?: string, cause?: string): void {
    this.controller.abort(new Stopped(error, cause));
  }
}

const date = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms));

export function listItem(execution: Execution): Record<string, unknown> {
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.stateMachine.arn,
    name: execution.name,
    status: execution.status,
    startDate: new Date(execution.startedAt),
    stopDate: date(execution.stoppedAt),
    redriveCount: 0,
  };
}

export function description(execution: Execution, withData: boolean): Record<string, unknown> {
  const { output, error, cause } = execution;
  return {
    ...listItem(execution),
    ...(withData && {
      input: execution.input,
      inputDetails: { included: true },
      ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
      error,
      cause,
    }),
    ...redrive(execution),
  };
}

const redrive = ({ status }: Execution) => ({
  redriveStatus: 'NOT_REDRIVABLE',
  redriveStatusReason:
    status === 'RUNNING' || status === 'SUCCEEDED'
      ? `Execution is ${status} and cannot be redriven`
      : 'The embedded AWS does not redrive executions: start a new one',
});

/** Members of event details that hold what flows through the state machine. */
const DATA = ['input', 'output', 'parameters', 'assignedVariables'].flatMap((name) => [name, `${name}Details`]);

/** An event as GetExecutionHistory returns it. */
export function historyItem(event: HistoryEvent, withData: boolean): Record<string, unknown> {
  const { id, previousEventId, type, timestamp } = event;
  return { timestamp: new Date(timestamp), type, id, previousEventId, ...details(event, withData) };
}

export function details(event: HistoryEvent, withData: boolean): HistoryEvent['details'] {
  if (withData) return event.details;
  return Object.fromEntries(
    Object.entries(event.details).map(([name, members]) => [
      name,
      Object.fromEntries(Object.entries(members).filter(([member]) => !DATA.includes(member))),
    ]),
  );
}

/** EventBridge carries input and output up to 248 KiB (Developer Guide, "Step Functions event details"). */
const EVENT_DATA_LIMIT = 248 * 1024;

/** `Step Functions Execution Status Change`. */
export function statusChange(execution: Execution): ServiceEvent {
  const data = (name: 'input' | 'output', text: string | undefined) => {
    const included = text !== undefined && Buffer.byteLength(text) <= EVENT_DATA_LIMIT;
    return { [name]: included ? text : null, [`${name}Details`]: text === undefined ? null : { included } };
  };
  return {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: [execution.arn],
    detail: {
      executionArn: execution.arn,
      stateMachineArn: execution.stateMachine.arn,
      name: execution.name,
      status: execution.status,
      startDate: execution.startedAt,
      stopDate: execution.stoppedAt ?? null,
      ...data('input', execution.input),
      ...data('output', execution.output),
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: 0,
      redriveDate: null,
      ...redrive(execution),
      error: execution.error ?? null,
      cause: execution.cause ?? null,
    },
  };
}
