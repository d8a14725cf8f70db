import { VirtualClock } from '../../../local/clock';
import { Latency } from '../../../local/latency';
import { Random } from '../../../local/random';
import {
  Evaluator,
  execute,
  type HistoryEvent,
  type Json,
  type Outcome,
  parseDefinition,
  StatesError,
  type TaskRequest,
  TaskTokens,
} from '../../../local/states-language';

export const INVOKE = 'arn:aws:states:::lambda:invoke';

type Handler = (request: TaskRequest, attempt: number) => Json | Promise<Json>;

/** Runs definitions in virtual time without latency, so that a test can state times exactly. */
export class Harness {
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 1));
  readonly random = new Random(1);
  readonly tokens = new TaskTokens(this.random);
  readonly events: HistoryEvent[] = [];
  readonly requests: TaskRequest[] = [];
  readonly controller = new AbortController();
  transitions = 0;
  private readonly start = this.clock.now();

  constructor(private readonly handler: Handler = () => null) {}

  /** Seconds since the start. */
  get seconds(): number {
    return (this.clock.now() - this.start) / 1000;
  }

  begin(definition: object, input: Json = {}): Promise<Outcome> {
    return execute({
      machine: parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition })),
      input,
      execution: { id: 'arn:aws:states:eu-west-3:1:execution:m:e', name: 'e', roleArn: 'arn:aws:iam::1:role/r' },
      stateMachine: { id: 'arn:aws:states:eu-west-3:1:stateMachine:m', name: 'm' },
      region: 'eu-west-3',
      clock: this.clock,
      random: this.random,
      latency: new Latency(this.random, () => 0),
      evaluator: new Evaluator(this.clock, this.random),
      tokens: this.tokens,
      task: async (request) => {
        this.requests.push(request);
        return this.handler(request, this.requests.length);
      },
      signal: this.controller.signal,
      onEvent: (event) => this.events.push(event),
      onTransition: () => this.transitions++,
    });
  }

  run(definition: object, input: Json = {}): Promise<Outcome> {
    return this.clock.until(this.begin(definition, input));
  }

  /** Runs states from the first one named. */
  states(states: Record<string, object>, input: Json = {}): Promise<Outcome> {
    return this.run({ StartAt: Object.keys(states)[0], States: states }, input);
  }

  /** Runs one state that ends the execution. */
  state(state: object, input: Json = {}): Promise<Outcome> {
    return this.states({ Only: { ...state, End: true } }, input);
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  details(type: string): Record<string, unknown> {
    const event = this.events.find((candidate) => candidate.type === type);
    if (!event) throw new Error(`no ${type} among ${this.types.join(', ')}`);
    return Object.values(event.details)[0] ?? {};
  }
}

export const task = (fields: object = {}) => ({ Type: 'Task', Resource: INVOKE, ...fields });

/** A handler that fails with the named errors in turn, then succeeds. */
export const failing =
  (...errors: string[]): Handler =>
  (_, attempt) => {
    const error = errors[attempt - 1];
    if (error) throw new StatesError(error, `cause of ${error}`);
    return 'done';
  };

export const succeeded = (output: Json) => ({ status: 'SUCCEEDED', output });
