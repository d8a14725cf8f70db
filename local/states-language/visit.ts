/** One visit of a state: what its expressions see, and how its output and variables come about. */
import type { State } from './definition';
import { PAYLOAD_LIMIT, QueryEvaluationError, StatesError } from './errors';
import { type Place, unexpected } from './evaluate';
import type { Run } from './execution';
import { data, reason, type Trail } from './history';
import { byteLength, type Json, type JsonObject } from './json';
import type { Scope } from './scope';

/** The item of the innermost Map iteration, as `$states.context.Map.Item` shows it. */
export interface MapItem {
  index: number;
  value: Json;
}

/** Where a flow runs. */
export interface Surroundings {
  scope: Scope;
  trail: Trail;
  signal: AbortSignal;
  item?: MapItem;
}

/** What a visit may add to `$states` while it lasts. */
export interface Extra {
  result?: Json;
  errorOutput?: Json;
  token?: string;
  item?: MapItem;
}

export interface Left {
  output: Json;
  /** Undefined ends the flow. */
  next: string | undefined;
}

export class Visit<S extends State = State> {
  retryCount = 0;
  readonly enteredAt: string;
  readonly enteredEventId: number;
  private assigned: JsonObject = {};
  private recorded: QueryEvaluationError | undefined;

  constructor(
    readonly run: Run,
    readonly name: string,
    readonly state: S,
    readonly input: Json,
    readonly around: Surroundings,
  ) {
    this.enteredAt = new Date(run.clock.now()).toISOString();
    this.enteredEventId = this.record(`${state.Type}StateEntered`, {
      stateEnteredEventDetails: { name, ...data('input', input) },
    });
  }

  record(type: string, details?: Record<string, Record<string, unknown>>): number {
    return this.run.history.record(this.around.trail, type, details);
  }

  place(field: string): Place {
    return { state: this.name, enteredEventId: this.enteredEventId, field };
  }

  /** Evaluates a field of the state. */
  evaluate(template: Json, field: string, extra: Extra = {}): Promise<Json> {
    const { result, errorOutput } = extra;
    const bindings = {
      variables: this.around.scope.visible(),
      states: {
        input: this.input,
        context: this.context(extra),
        ...(result === undefined ? {} : { result }),
        ...(errorOutput === undefined ? {} : { errorOutput }),
      },
    };
    return this.run.evaluator.template(template, bindings, this.place(field));
  }

  /** Evaluates a field that must be a whole number within limits; undefined stays undefined. */
  async integer(
    template: Json | undefined,
    field: string,
    limits: { from: number; to: number },
    extra: Extra = {},
  ): Promise<number | undefined> {
    if (template === undefined) return undefined;
    const value = await this.evaluate(template, field, extra);
    if (typeof value === 'number' && Number.isInteger(value) && value >= limits.from && value <= limits.to)
      return value;
    throw unexpected(`an integer from ${limits.from} to ${limits.to}`, value, this.place(field));
  }

  /**
   * Evaluates Output and Assign against the same, old variables, and only then assigns.
   * @param part the state, a choice rule or a catcher; `prefix` locates it in the state.
   */
  async leave(
    part: { Output?: Json; Assign?: JsonObject },
    prefix: string,
    extra: Extra,
    otherwise: Json,
    next: string | undefined,
  ): Promise<Left> {
    const output = part.Output === undefined ? otherwise : await this.evaluate(part.Output, `${prefix}Output`, extra);
    const values = part.Assign && (await this.evaluate(part.Assign, `${prefix}Assign`, extra));
    this.limit(output, this.name);
    if (values) {
      this.limit(values, this.name);
      this.assigned = values as JsonObject;
      this.around.scope.assign(this.assigned);
    }
    return { output, next };
  }

  /** @throws StatesError States.DataLimitExceeded */
  limit(value: Json, whose: string): void {
    if (byteLength(value) <= PAYLOAD_LIMIT) return;
    throw new StatesError(
      'States.DataLimitExceeded',
      `The state/task '${whose}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    );
  }

  recordExit(output: Json): void {
    const variables = Object.entries(this.assigned).map(([name, value]) => [name, JSON.stringify(value)]);
    this.record(`${this.state.Type}StateExited`, {
      stateExitedEventDetails: {
        name: this.name,
        ...data('output', output),
        ...(variables.length === 0
          ? {}
          : {
              assignedVariables: Object.fromEntries(variables),
              assignedVariablesDetails: { truncated: false },
            }),
      },
    });
  }

  /** Records a failed expression of this state, once. */
  recordFailedEvaluation(error: unknown): void {
    if (!(error instanceof QueryEvaluationError) || error.state !== this.name || error === this.recorded) return;
    this.recorded = error;
    this.record('EvaluationFailed', {
      evaluationFailedEventDetails: { state: error.state, location: error.location, ...reason(error) },
    });
  }

  private context({ token, item = this.around.item }: Extra): Json {
    const { run } = this;
    return {
      Execution: run.executionContext,
      State: { EnteredTime: this.enteredAt, Name: this.name, RetryCount: this.retryCount },
      StateMachine: { Id: run.stateMachine.id, Name: run.stateMachine.name },
      ...(item && { Map: { Item: { Index: item.index, Value: item.value } } }),
      ...(token !== undefined && { Task: { Token: token } }),
    };
  }
}
