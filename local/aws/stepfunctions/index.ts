/**
 * Step Functions: Standard workflows in JSONata mode.
 * Not modelled, and therefore refused: Express workflows, versions, aliases, activities, redriving, distributed maps.
 */
import { z } from 'zod';
import {
  Evaluator,
  execute,
  type HistoryEvent,
  type Json,
  type Outcome,
  StatesError,
  type TaskRunner,
  TaskTokens,
  TokenRefused,
} from '../../states-language';
import type { Emit } from '../events/event';
import { type Permits, type ServiceCaller, sessionArn } from '../iam/authority';
import type { LambdaInvoker } from '../lambda/invoker';
import type { LogWriter } from '../logs/writer';
import { page } from '../paging';
import { provision } from '../properties';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import {
  executionAlreadyExists,
  executionDoesNotExist,
  invalidInput,
  invalidName,
  invalidOutput,
  invalidToken,
  logDestinationRefused,
  roleNotAssumable,
  stateMachineDoesNotExist,
  taskTimedOut,
} from './errors';
import { description, details, Execution, historyItem, listItem, statusChange } from './execution';
import {
  DESCRIBE_EXECUTION,
  DESCRIBE_STATE_MACHINE,
  GET_EXECUTION_HISTORY,
  LIST_EXECUTIONS,
  LIST_STATE_MACHINES,
  SEND_TASK_FAILURE,
  SEND_TASK_HEARTBEAT,
  SEND_TASK_SUCCESS,
  START_EXECUTION,
  STOP_EXECUTION,
} from './inputs';
import { LAMBDA_INVOKE, lambdaInvoke } from './lambda-invoke';
import {
  definitionText,
  loggingOf,
  type Properties,
  parse,
  type ReadObject,
  STATE_MACHINE,
  type StateMachine,
} from './state-machine';

/** How long a closed execution keeps its name (Step Functions service quotas). */
const NAME_RETENTION_MS = 90 * 24 * 3600 * 1000;

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html, member `name`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the rule is about control characters.
const FORBIDDEN_IN_NAMES = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/;

export interface StepFunctionsDependencies {
  lambda: LambdaInvoker;
  /** Told of every execution that starts or ends, for EventBridge rules. */
  emit: Emit;
  readObject: ReadObject;
  authority: Permits;
  logs?: LogWriter;
  /** Further task resources. */
  integrations?: Record<string, TaskRunner>;
}

type Unsubscribe = () => void;
type HistoryListener = (execution: Execution, event: HistoryEvent) => void;
type StatusListener = (execution: Execution) => void;

export class StepFunctions implements Service {
  readonly name = 'states';
  readonly protocol = 'json-1.0';
  readonly version = 'AWSStepFunctions';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  /** Of all executions. */
  readonly counters = { transitions: 0, executions: 0 };

  private readonly stateMachines = new Map<string, StateMachine>();
  private readonly executions = new Map<string, Execution>();
  private readonly ends = new WeakMap<Execution, Promise<void>>();
  private readonly historyListeners = new Set<HistoryListener>();
  private readonly statusListeners = new Set<StatusListener>();
  private readonly random;
  private readonly tokens: TaskTokens;
  private readonly evaluator: Evaluator;
  private readonly integrations: Map<string, TaskRunner>;

  constructor(
    private readonly world: World,
    private readonly dependencies: StepFunctionsDependencies,
  ) {
    this.random = world.random.fork('states');
    this.tokens = new TaskTokens(this.random.fork('tokens'));
    this.evaluator = new Evaluator(world.clock, this.random.fork('expressions'));
    this.integrations = new Map([
      [LAMBDA_INVOKE, lambdaInvoke(dependencies.lambda, () => this.random.uuid())],
      ...Object.entries(dependencies.integrations ?? {}),
    ]);
    this.resources = {
      'AWS::StepFunctions::StateMachine': provision(
        'AWS::StepFunctions::StateMachine',
        STATE_MACHINE,
        (properties, logicalId) => this.create(logicalId, properties),
      ),
    };
    this.operations = { ...this.stateMachineOperations(), ...this.executionOperations(), ...this.taskOperations() };
  }

  /** Calls `listener` for every history event of every execution; returns its removal. */
  onHistory(listener: HistoryListener): Unsubscribe {
    this.historyListeners.add(listener);
    return () => this.historyListeners.delete(listener);
  }

  /** Calls `listener` when an execution starts and when it ends; returns its removal. */
  onStatus(listener: StatusListener): Unsubscribe {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  }

  /** All executions, oldest first. */
  listExecutions(): Execution[] {
    return [...this.executions.values()].sort((a, b) => a.order - b.order);
  }

  /**
   * Starts an execution for an AWS service that assumes a role to do so.
   * @throws AwsError AccessDeniedException
   */
  startAs(service: ServiceCaller, roleArn: string, stateMachineArn: string, input: string): Execution {
    const { authority } = this.dependencies;
    const denied =
      authority.assumeRefusal(service, roleArn) ??
      authority.refusal(sessionArn(roleArn, this.random.hex(32)), [
        { action: 'states:StartExecution', resource: stateMachineArn },
      ]);
    if (denied !== undefined) throw new AwsError('AccessDeniedException', denied);
    return this.start(stateMachineArn, input);
  }

  /** Resolves when the execution is over. */
  async ended(arn: string): Promise<Execution> {
    const execution = this.execution(arn);
    await this.ends.get(execution);
    return execution;
  }

  /**
   * Starts an execution. The same name and input while it runs is the same execution.
   * @throws AwsError as the API does.
   */
  start(stateMachineArn: string, input: string, name = this.random.uuid()): Execution {
    const stateMachine = this.stateMachine(stateMachineArn);
    if (FORBIDDEN_IN_NAMES.test(name)) throw invalidName(name);
    const value = readJson(input, invalidInput);
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const { clock, latency, region } = this.world;
    const known = this.executions.get(arn);
    if (known?.status === 'RUNNING' && known.input === input) return known;
    if (known && clock.now() - (known.stoppedAt ?? clock.now()) < NAME_RETENTION_MS) throw executionAlreadyExists(arn);

    const execution = new Execution(arn, name, stateMachine, input, clock.now(), ++this.counters.executions);
    this.executions.set(arn, execution);
    this.changed(execution);
    const run = execute({
      machine: stateMachine.parsed,
      input: value,
      execution: { id: arn, name, roleArn: stateMachine.roleArn },
      stateMachine: { id: stateMachine.arn, name: stateMachine.name },
      region,
      clock,
      random: this.random.fork(arn),
      latency,
      evaluator: this.evaluator,
      tokens: this.tokens,
      task: (request) => this.runTask(request),
      signal: execution.signal,
      onEvent: (event) => this.record(execution, event),
      onTransition: () => {
        execution.transitions++;
        this.counters.transitions++;
      },
    });
    this.ends.set(
      execution,
      run.then((outcome) => this.end(execution, outcome)),
    );
    return execution;
  }

  /** Stops every running execution, so that nothing goes on after the embedded AWS has closed. */
  async close(): Promise<void> {
    const running = this.listExecutions().filter(({ status }) => status === 'RUNNING');
    for (const execution of running) execution.stop();
    await Promise.all(running.map((execution) => this.ends.get(execution)));
  }

  private runTask: TaskRunner = (request) => {
    const runner = this.integrations.get(request.resource);
    if (!runner) throw new StatesError('States.Runtime', `The resource ${request.resource} is not modelled.`);
    return runner(request);
  };

  private record(execution: Execution, event: HistoryEvent): void {
    execution.history.push(event);
    this.log(execution, event);
    for (const listener of this.historyListeners) listener(execution, event);
  }

  /** One line per event, in the shape of AWS's own logs (Developer Guide, "Using CloudWatch Logs"). */
  private log(execution: Execution, event: HistoryEvent): void {
    const { level, logGroup, includeExecutionData } = execution.stateMachine.logging;
    const wanted = level === 'ALL' || (level !== 'OFF' && LOGGED[level].test(event.type));
    if (!wanted || !logGroup) return;
    const line = {
      id: String(event.id),
      type: event.type,
      details: Object.values(details(event, includeExecutionData))[0] ?? {},
      previous_event_id: String(event.previousEventId),
      event_timestamp: String(Math.floor(event.timestamp)),
      execution_arn: execution.arn,
    };
    const day = new Date(event.timestamp).toISOString().slice(0, 10);
    this.dependencies.logs?.write(
      logGroup,
      `states/${execution.stateMachine.name}/${day}/${execution.name}`,
      JSON.stringify(line),
    );
  }

  private end(execution: Execution, outcome: Outcome): void {
    execution.status = outcome.status;
    execution.stoppedAt = this.world.clock.now();
    if (outcome.status === 'SUCCEEDED') execution.output = JSON.stringify(outcome.output);
    else {
      execution.error = outcome.error;
      execution.cause = outcome.cause;
    }
    this.changed(execution);
  }

  private changed(execution: Execution): void {
    this.dependencies.emit(statusChange(execution));
    for (const listener of this.statusListeners) listener(execution);
  }

  private async create(logicalId: string, properties: Properties): Promise<Provisioned> {
    const { account, region, clock } = this.world;
    const name = properties.StateMachineName ?? `${logicalId}-${this.random.hex(12)}`;
    const arn = `arn:aws:states:${region}:${account}:stateMachine:${name}`;
    const definition = await definitionText(properties, this.dependencies.readObject);
    const logging = loggingOf(properties);
    this.requireRole(arn, properties.RoleArn, logging);
    this.stateMachines.set(arn, {
      arn,
      name,
      roleArn: properties.RoleArn,
      definition,
      parsed: parse(definition, new Set(this.integrations.keys())),
      createdAt: clock.now(),
      logging,
      tracing: properties.TracingConfiguration?.Enabled ?? false,
    });
    return { ref: arn, attributes: { Arn: arn, Name: name, StateMachineRevisionId: 'INITIAL' } };
  }

  /** What is checked of a role when a state machine is made. */
  private requireRole(arn: string, roleArn: string, { logGroup }: StateMachine['logging']): void {
    const { authority } = this.dependencies;
    if (authority.assumeRefusal({ name: 'states.amazonaws.com', sourceArn: arn }, roleArn)) throw roleNotAssumable();
    if (logGroup === undefined) return;
    const needs = LOG_DELIVERY.map((action) => ({ action: `logs:${action}`, resource: '*' }));
    if (authority.refusal(sessionArn(roleArn, 'StepFunctions'), needs)) throw logDestinationRefused();
  }

  private stateMachine(arn: string): StateMachine {
    const found = this.stateMachines.get(arn);
    if (!found) throw stateMachineDoesNotExist(arn);
    return found;
  }

  private execution(arn: string): Execution {
    const found = this.executions.get(arn);
    if (!found) throw executionDoesNotExist(arn);
    return found;
  }

  private stateMachineOperations(): Record<string, Operation> {
    return {
      ListStateMachines: operation({
        input: LIST_STATE_MACHINES,
        handle: ({ maxResults, nextToken }) => {
          const all = [...this.stateMachines.values()].map(({ arn, name, createdAt }) => ({
            stateMachineArn: arn,
            name,
            type: 'STANDARD',
            creationDate: new Date(createdAt),
          }));
          const { items, nextToken: next } = page(all, maxResults, nextToken, invalidToken);
          return { stateMachines: items, nextToken: next };
        },
      }),
      DescribeStateMachine: operation({
        input: DESCRIBE_STATE_MACHINE,
        needs: ({ stateMachineArn }) => [{ action: 'states:DescribeStateMachine', resource: stateMachineArn }],
        handle: ({ stateMachineArn, includedData }) => {
          const { arn, name, definition, roleArn, createdAt, logging, tracing } = this.stateMachine(stateMachineArn);
          const logGroupArn = `arn:aws:logs:${this.world.region}:${this.world.account}:log-group:${logging.logGroup}:*`;
          return {
            stateMachineArn: arn,
            name,
            status: 'ACTIVE',
            ...(includedData === 'ALL_DATA' && { definition }),
            roleArn,
            type: 'STANDARD',
            creationDate: new Date(createdAt),
            loggingConfiguration: {
              level: logging.level,
              includeExecutionData: logging.includeExecutionData,
              destinations: logging.logGroup ? [{ cloudWatchLogsLogGroup: { logGroupArn } }] : [],
            },
            tracingConfiguration: { enabled: tracing },
            revisionId: 'INITIAL',
          };
        },
      }),
    };
  }

  private executionOperations(): Record<string, Operation> {
    return {
      StartExecution: operation({
        input: START_EXECUTION,
        needs: ({ stateMachineArn }) => [{ action: 'states:StartExecution', resource: stateMachineArn }],
        handle: ({ stateMachineArn, input, name }) => {
          const { arn, startedAt } = this.start(stateMachineArn, input, name);
          return { executionArn: arn, startDate: new Date(startedAt) };
        },
      }),
      StopExecution: operation({
        input: STOP_EXECUTION,
        needs: ({ executionArn }) => [{ action: 'states:StopExecution', resource: executionArn }],
        handle: async ({ executionArn, error, cause }) => {
          const execution = this.execution(executionArn);
          if (execution.status === 'RUNNING') execution.stop(error, cause);
          await this.ends.get(execution);
          return { stopDate: new Date(execution.stoppedAt ?? this.world.clock.now()) };
        },
      }),
      DescribeExecution: operation({
        input: DESCRIBE_EXECUTION,
        needs: ({ executionArn }) => [{ action: 'states:DescribeExecution', resource: executionArn }],
        handle: ({ executionArn, includedData }) =>
          description(this.execution(executionArn), includedData === 'ALL_DATA'),
      }),
      ListExecutions: operation({
        input: LIST_EXECUTIONS,
        needs: ({ stateMachineArn }) => [{ action: 'states:ListExecutions', resource: stateMachineArn }],
        handle: ({ stateMachineArn, statusFilter, maxResults, nextToken }) => {
          const { arn } = this.stateMachine(stateMachineArn);
          const all = this.listExecutions()
            .filter(({ stateMachine, status }) => stateMachine.arn === arn && (statusFilter ?? status) === status)
            .reverse();
          const { items, nextToken: next } = page(all, maxResults, nextToken, invalidToken);
          return { executions: items.map(listItem), nextToken: next };
        },
      }),
      GetExecutionHistory: operation({
        input: GET_EXECUTION_HISTORY,
        needs: ({ executionArn }) => [{ action: 'states:GetExecutionHistory', resource: executionArn }],
        handle: ({ executionArn, reverseOrder, includeExecutionData, maxResults, nextToken }) => {
          const { history } = this.execution(executionArn);
          const ordered = reverseOrder ? [...history].reverse() : history;
          const { items, nextToken: next } = page(ordered, maxResults, nextToken, invalidToken);
          return { events: items.map((event) => historyItem(event, includeExecutionData)), nextToken: next };
        },
      }),
    };
  }

  private taskOperations(): Record<string, Operation> {
    const guarded = (send: () => void) => {
      try {
        send();
      } catch (error) {
        if (!(error instanceof TokenRefused)) throw error;
        throw error.why === 'over' ? taskTimedOut() : invalidToken();
      }
      return {};
    };
    return {
      SendTaskSuccess: operation({
        input: SEND_TASK_SUCCESS,
        handle: ({ taskToken, output }) => {
          const value = readJson(output, invalidOutput);
          return guarded(() => this.tokens.succeed(taskToken, value));
        },
      }),
      SendTaskFailure: operation({
        input: SEND_TASK_FAILURE,
        handle: ({ taskToken, error, cause }) => guarded(() => this.tokens.fail(taskToken, error, cause)),
      }),
      SendTaskHeartbeat: operation({
        input: SEND_TASK_HEARTBEAT,
        handle: ({ taskToken }) => guarded(() => this.tokens.heartbeat(taskToken)),
      }),
    };
  }
}

/**
 * What the role of a state machine with a log needs.
 * https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
 */
const LOG_DELIVERY = [
  'CreateLogDelivery',
  'GetLogDelivery',
  'UpdateLogDelivery',
  'DeleteLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'DescribeResourcePolicies',
  'DescribeLogGroups',
];

/** Which events the log levels below ALL keep (Developer Guide, "Log levels"). */
const LOGGED = {
  ERROR: /Failed$|TimedOut$|Aborted$|^FailStateEntered$/,
  FATAL: /^Execution(Failed|TimedOut|Aborted)$/,
} as const;

function readJson(text: string, refuse: (why: string) => Error): Json {
  try {
    return z.json().parse(JSON.parse(text));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

export type { Execution, Status } from './execution';
export type { StateMachine } from './state-machine';
