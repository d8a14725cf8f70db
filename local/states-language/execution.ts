/** Runs one execution of a state machine from its first event to its last. */
import type { Clock } from '../clock';
import type { Latency } from '../latency';
import type { Random } from '../random';
import { controllerForMany } from './abort';
import type { ChoiceState, FailState, Flow, Retrier, State, StateMachine, WaitState } from './definition';
import { errorOutput, matches, StatesError } from './errors';
import { type Evaluator, unexpected } from './evaluate';
import { attemptMap, attemptParallel } from './fork';
import { data, History, type HistoryEvent, reason, Trail } from './history';
import type { Json, JsonObject } from './json';
import { isTimestamp } from './parse';
import { Scope } from './scope';
import { attemptTask, type TaskRunner } from './task';
import type { TaskTokens } from './tokens';
import { type Left, type Surroundings, Visit } from './visit';

export interface ExecuteOptions {
  machine: StateMachine;
  input: Json;
  execution: { id: string; name: string; roleArn: string };
  stateMachine: { id: string; name: string };
  region: string;
  clock: Clock;
  random: Random;
  latency: Latency;
  evaluator: Evaluator;
  tokens: TaskTokens;
  task: TaskRunner;
  /** Ends the execution at once; a reason of class Stopped gives the error and cause. */
  signal?: AbortSignal;
  onEvent?(event: HistoryEvent): void;
  /** Called for every state entered and every retry: what AWS bills. */
  onTransition?(): void;
}

export type Outcome =
  | { status: 'SUCCEEDED'; output: Json }
  | { status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; error?: string; cause?: string };

/** Somebody stopped the execution. */
export class Stopped extends Error {
  override readonly name = 'Stopped';

  constructor(
    readonly error?: string,
    override readonly cause?: string,
  ) {
    super('the execution was stopped');
  }
}

/** The state machine's own TimeoutSeconds passed. */
class ExecutionTimedOut extends Error {
  override readonly name = 'ExecutionTimedOut';
}

/** Runs an execution to its end; never rejects. */
export async function execute(options: ExecuteOptions): Promise<Outcome> {
  const run = new Run(options);
  const { machine, clock, signal } = options;
  const controller = controllerForMany();
  const stop = () => controller.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const timer =
    machine.TimeoutSeconds === undefined
      ? undefined
      : clock.after(machine.TimeoutSeconds * 1000, () => controller.abort(new ExecutionTimedOut()));
  try {
    return await run.toEnd(controller.signal);
  } finally {
    timer?.cancel();
    signal?.removeEventListener('abort', stop);
  }
}

/** What all visits of an execution share. */
export class Run {
  readonly history: History;
  readonly clock: Clock;
  readonly evaluator: Evaluator;
  readonly tokens: TaskTokens;
  readonly task: TaskRunner;
  readonly region: string;
  readonly stateMachine: { id: string; name: string };
  readonly executionArn: string;
  readonly roleArn: string;
  /** `$states.context.Execution`. */
  readonly executionContext: JsonObject;

  constructor(private readonly options: ExecuteOptions) {
    const { clock, execution, input } = options;
    this.history = new History(clock, options.onEvent ?? (() => {}));
    this.clock = clock;
    this.evaluator = options.evaluator;
    this.tokens = options.tokens;
    this.task = options.task;
    this.region = options.region;
    this.stateMachine = options.stateMachine;
    this.executionArn = execution.id;
    this.roleArn = execution.roleArn;
    this.executionContext = {
      Id: execution.id,
      Input: input,
      Name: execution.name,
      RoleArn: execution.roleArn,
      StartTime: new Date(clock.now()).toISOString(),
      RedriveCount: 0,
    };
  }

  async toEnd(signal: AbortSignal): Promise<Outcome> {
    const { machine, input } = this.options;
    const trail = new Trail();
    const close = (type: string, details: Record<string, unknown>) =>
      this.history.record(trail, `Execution${type}`, { [`execution${type}EventDetails`]: details });
    close('Started', { ...data('input', input), roleArn: this.roleArn });
    try {
      const output = await this.flow(machine, input, { scope: new Scope(), trail, signal });
      close('Succeeded', data('output', output));
      return { status: 'SUCCEEDED', output };
    } catch (thrown) {
      const { type, status, why } = ending(signal.aborted ? signal.reason : thrown);
      close(type, reason(why));
      return { status, ...reason(why) };
    }
  }

  /** Visits the states of a flow, one after another, and returns the last one's output. */
  async flow(flow: Flow, input: Json, around: Surroundings): Promise<Json> {
    let name: string | undefined = flow.StartAt;
    let output = input;
    while (name !== undefined) {
      const state: State = flow.States[name]!;
      await this.clock.sleep(this.options.latency.sample('states.transition'), around.signal);
      this.options.onTransition?.();
      const left: Left = await this.visit(name, state, output, around);
      output = left.output;
      name = left.next;
    }
    return output;
  }

  private async visit(name: string, state: State, input: Json, around: Surroundings): Promise<Left> {
    const visit = new Visit(this, name, state, input, around);
    try {
      const left = await this.pass(visit);
      around.signal.throwIfAborted();
      visit.recordExit(left.output);
      return left;
    } catch (error) {
      if (around.signal.aborted && ['Task', 'Wait', 'Map', 'Parallel'].includes(state.Type))
        visit.record(`${state.Type}StateAborted`);
      else visit.recordFailedEvaluation(error);
      throw error;
    }
  }

  private pass(visit: Visit): Promise<Left> {
    const { state, input } = visit;
    switch (state.Type) {
      case 'Pass':
        return visit.leave(state, '', {}, input, state.Next);
      case 'Succeed':
        return visit.leave(state, '', {}, input, undefined);
      case 'Fail':
        return this.fail(visit, state);
      case 'Wait':
        return this.wait(visit, state);
      case 'Choice':
        return this.choose(visit, state);
      default:
        return this.persist(visit, state);
    }
  }

  private async fail(visit: Visit, state: FailState): Promise<never> {
    const text = async (field: 'Error' | 'Cause') => {
      const template = state[field];
      if (template === undefined) return undefined;
      const value = await visit.evaluate(template, field);
      if (typeof value !== 'string') throw unexpected('a string', value, visit.place(field));
      return value;
    };
    throw new StatesError(await text('Error'), await text('Cause'));
  }

  private async wait(visit: Visit, state: WaitState): Promise<Left> {
    const seconds = await visit.integer(state.Seconds, 'Seconds', { from: 0, to: 99_999_999 });
    let ms = (seconds ?? 0) * 1000;
    if (state.Timestamp !== undefined) {
      const until = await visit.evaluate(state.Timestamp, 'Timestamp');
      if (typeof until !== 'string' || !isTimestamp(until))
        throw unexpected('an RFC 3339 timestamp', until, visit.place('Timestamp'));
      ms = Math.max(0, Date.parse(until) - this.clock.now());
    }
    await this.clock.sleep(ms, visit.around.signal);
    return visit.leave(state, '', {}, visit.input, state.Next);
  }

  private async choose(visit: Visit, state: ChoiceState): Promise<Left> {
    for (const [index, rule] of state.Choices.entries()) {
      const field = `Choices[${index}]/Condition`;
      const holds = await visit.evaluate(rule.Condition, field);
      if (typeof holds !== 'boolean') throw unexpected('a boolean', holds, visit.place(field));
      if (holds) return visit.leave(rule, `Choices[${index}]/`, {}, visit.input, rule.Next);
    }
    if (state.Default !== undefined) return visit.leave(state, '', {}, visit.input, state.Default);
    throw new StatesError(
      'States.NoChoiceMatched',
      `An error occurred while executing the state '${visit.name}' (entered at the event id #${visit.enteredEventId}). Failed to transition out of the state. The state does not point to a next state.`,
    );
  }

  /** Attempts a Task, Parallel or Map state until it succeeds, its retriers give up, or a catcher takes over. */
  private async persist(visit: Visit, state: State & { Type: 'Task' | 'Parallel' | 'Map' }): Promise<Left> {
    const attempts = new Map<Retrier, number>();
    const { signal } = visit.around;
    for (;;) {
      try {
        const result = await attempt(visit);
        return await visit.leave(state, '', { result }, result, state.Next);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof StatesError)) throw error;
        visit.recordFailedEvaluation(error);
        const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, error));
        const made = retrier ? (attempts.get(retrier) ?? 0) : 0;
        if (retrier && made < retrier.MaxAttempts) {
          attempts.set(retrier, made + 1);
          visit.retryCount++;
          await this.clock.sleep(1000 * backoff(retrier, made, this.options.random), signal);
          this.options.onTransition?.();
          continue;
        }
        const index = state.Catch?.findIndex(({ ErrorEquals }) => matches(ErrorEquals, error)) ?? -1;
        if (index < 0) throw error;
        const catcher = state.Catch![index]!;
        const output = errorOutput(error);
        return visit.leave(catcher, `Catch[${index}]/`, { errorOutput: output }, output, catcher.Next);
      }
    }
  }
}

function attempt(visit: Visit): Promise<Json> {
  const { state } = visit;
  if (state.Type === 'Task') return attemptTask(visit as Visit<typeof state>);
  if (state.Type === 'Map') return attemptMap(visit as Visit<typeof state>);
  if (state.Type === 'Parallel') return attemptParallel(visit as Visit<typeof state>);
  throw new Error(`a ${state.Type} state is not attempted`);
}

/** Seconds before the next attempt, after `made` of them. */
function backoff(retrier: Retrier, made: number, random: Random): number {
  const { IntervalSeconds, BackoffRate, MaxDelaySeconds, JitterStrategy } = retrier;
  const delay = Math.min(IntervalSeconds * BackoffRate ** made, MaxDelaySeconds ?? 99_999_999);
  return JitterStrategy === 'FULL' ? random.next() * delay : delay;
}

type Ending = { type: string; status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; why: { error?: string; cause?: string } };

function ending(thrown: unknown): Ending {
  if (thrown instanceof Stopped) return { type: 'Aborted', status: 'ABORTED', why: thrown };
  if (thrown instanceof ExecutionTimedOut)
    return { type: 'TimedOut', status: 'TIMED_OUT', why: { error: 'States.Timeout' } };
  if (thrown instanceof StatesError) return { type: 'Failed', status: 'FAILED', why: thrown };
  const cause = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return { type: 'Failed', status: 'FAILED', why: { error: 'States.Runtime', cause } };
}
