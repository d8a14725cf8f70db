/** The shape of a state machine definition in JSONata mode: every field AWS accepts there, and no other. */
import { z } from 'zod';
import type { Json } from './json';

const NAME = z.string().min(1).max(80);
const EXPRESSION = z.string().regex(/^\{%[\s\S]*%\}$/, 'must be a JSONata expression between {% and %}');
/** JSON with expressions in any of its strings. */
const TEMPLATE: z.ZodType<Json> = z.json();

/** Up to 99,999,999 seconds, AWS's bound for every duration in a definition. */
const seconds = (minimum: number) => z.union([z.int().min(minimum).max(99_999_999), EXPRESSION]);
/** `Assign` names are 1 to 80 characters and start with a letter or underscore; `states` is reserved. */
const ASSIGN = z.record(
  z
    .string()
    .max(80)
    .regex(/^[\p{ID_Start}_][\p{ID_Continue}]*$/u, 'is not a variable name')
    .refine((name) => name !== 'states', 'is reserved'),
  TEMPLATE,
);

const COMMON = { Comment: z.string().optional(), QueryLanguage: z.literal('JSONata').optional() };
const FLOW = { ...COMMON, Next: NAME.optional(), End: z.literal(true).optional() };
const DATA = { Output: TEMPLATE.optional(), Assign: ASSIGN.optional() };

const ERROR_EQUALS = z.array(z.string().min(1)).min(1);

const Retrier = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: ERROR_EQUALS,
  IntervalSeconds: z.int().min(1).max(99_999_999).default(1),
  MaxAttempts: z.int().min(0).max(99_999_999).default(3),
  BackoffRate: z.number().min(1).default(2),
  MaxDelaySeconds: z.int().min(1).max(31_622_400).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).default('NONE'),
});
export type Retrier = z.infer<typeof Retrier>;

const Catcher = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: ERROR_EQUALS,
  Next: NAME,
  ...DATA,
});
export type Catcher = z.infer<typeof Catcher>;

const FALLIBLE = { Retry: z.array(Retrier).optional(), Catch: z.array(Catcher).optional() };

const Task = z.strictObject({
  Type: z.literal('Task'),
  ...FLOW,
  ...DATA,
  ...FALLIBLE,
  Resource: z.string().min(1),
  Arguments: TEMPLATE.optional(),
  TimeoutSeconds: seconds(1).optional(),
  HeartbeatSeconds: seconds(1).optional(),
});

const ChoiceRule = z.strictObject({
  Comment: z.string().optional(),
  Condition: z.union([z.boolean(), EXPRESSION]),
  Next: NAME,
  ...DATA,
});
const Choice = z.strictObject({
  Type: z.literal('Choice'),
  ...COMMON,
  ...DATA,
  Choices: z.array(ChoiceRule).min(1),
  Default: NAME.optional(),
});

const Wait = z.strictObject({
  Type: z.literal('Wait'),
  ...FLOW,
  ...DATA,
  Seconds: seconds(0).optional(),
  Timestamp: z.string().optional(),
});

const Pass = z.strictObject({ Type: z.literal('Pass'), ...FLOW, ...DATA });
const Succeed = z.strictObject({ Type: z.literal('Succeed'), ...COMMON, Output: TEMPLATE.optional() });
const Fail = z.strictObject({
  Type: z.literal('Fail'),
  ...COMMON,
  Error: z.string().optional(),
  Cause: z.string().optional(),
});

const Parallel = z.strictObject({
  Type: z.literal('Parallel'),
  ...FLOW,
  ...DATA,
  ...FALLIBLE,
  Arguments: TEMPLATE.optional(),
  get Branches() {
    return z.array(Branch).min(1);
  },
});

const MapState = z.strictObject({
  Type: z.literal('Map'),
  ...FLOW,
  ...DATA,
  ...FALLIBLE,
  Items: z.union([EXPRESSION, z.array(TEMPLATE), z.record(z.string(), TEMPLATE)]).optional(),
  ItemSelector: TEMPLATE.optional(),
  MaxConcurrency: z.union([z.int().min(0), EXPRESSION]).optional(),
  get ItemProcessor() {
    return ItemProcessor;
  },
});

const State = z.discriminatedUnion('Type', [Task, Choice, Wait, Pass, Succeed, Fail, Parallel, MapState]);

const Branch = z.strictObject({
  Comment: z.string().optional(),
  StartAt: NAME,
  get States() {
    return z.record(NAME, State);
  },
});

const ItemProcessor = z.strictObject({
  Comment: z.string().optional(),
  ProcessorConfig: z.strictObject({ Mode: z.literal('INLINE') }).optional(),
  StartAt: NAME,
  get States() {
    return z.record(NAME, State);
  },
});

/** A whole state machine. `QueryLanguage` must be said: AWS's default is JSONPath, which is not spoken here. */
export const StateMachine = z.strictObject({
  Comment: z.string().optional(),
  Version: z.literal('1.0').optional(),
  QueryLanguage: z.literal('JSONata'),
  TimeoutSeconds: z.int().min(1).max(99_999_999).optional(),
  StartAt: NAME,
  States: z.record(NAME, State),
});

export type StateMachine = z.infer<typeof StateMachine>;
export type State = z.infer<typeof State>;
export type TaskState = z.infer<typeof Task>;
export type ChoiceState = z.infer<typeof Choice>;
export type WaitState = z.infer<typeof Wait>;
export type FailState = z.infer<typeof Fail>;
export type ParallelState = z.infer<typeof Parallel>;
export type MapStateDefinition = z.infer<typeof MapState>;

/** States with one start: a state machine, a branch of a Parallel state or the processor of a Map state. */
export interface Flow {
  StartAt: string;
  States: Record<string, State>;
}

/** A flow and where it lies: the names of the states around it, outermost first. */
export interface FlowAt {
  flow: Flow;
  /** The states around the flow; a branch of a Parallel state adds its index. */
  path: string[];
  /** JSON pointer of the flow in the definition. */
  pointer: string;
}

/** The flows directly inside a state. */
export function innerFlows(name: string, state: State, { path, pointer }: FlowAt): FlowAt[] {
  const at = `${pointer}/States/${name}`;
  if (state.Type === 'Map')
    return [{ flow: state.ItemProcessor, path: [...path, name], pointer: `${at}/ItemProcessor` }];
  if (state.Type !== 'Parallel') return [];
  return state.Branches.map((flow, index) => ({
    flow,
    path: [...path, `${name}[${index}]`],
    pointer: `${at}/Branches[${index}]`,
  }));
}

/** Every flow of a state machine, outermost first. */
export function* flows(machine: StateMachine): Generator<FlowAt> {
  const pending: FlowAt[] = [{ flow: machine, path: [], pointer: '' }];
  for (let at = pending.shift(); at; at = pending.shift()) {
    yield at;
    for (const [name, state] of Object.entries(at.flow.States)) pending.push(...innerFlows(name, state, at));
  }
}

/** The names a state can go to next, with the field that says so. */
export function targets(state: State): [field: string, target: string][] {
  const found: [string, string][] = [];
  if ('Next' in state && state.Next !== undefined) found.push(['Next', state.Next]);
  if (state.Type === 'Choice') {
    for (const [index, rule] of state.Choices.entries()) found.push([`Choices[${index}]/Next`, rule.Next]);
    if (state.Default !== undefined) found.push(['Default', state.Default]);
  }
  if ('Catch' in state)
    for (const [index, catcher] of (state.Catch ?? []).entries()) found.push([`Catch[${index}]/Next`, catcher.Next]);
  return found;
}
