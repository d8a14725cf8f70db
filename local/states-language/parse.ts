/** Turns definition text into a checked state machine, refusing what AWS refuses on creation and update. */
import { z } from 'zod';
import { type FlowAt, flows, innerFlows, type State, StateMachine, targets } from './definition';
import { expressionOf, stateStrings, variablesRead } from './expressions';

/** Every fault of a definition, one line each, naming the state. AWS's code for it is InvalidDefinition. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';

  constructor(readonly faults: string[]) {
    super(`Invalid State Machine Definition: '${faults.join(', ')}'`);
  }
}

/**
 * Parses and checks a definition in the Amazon States Language, JSONata mode.
 * @throws DefinitionError listing every fault found.
 */
export function parseDefinition(text: string): StateMachine {
  const before = accepted.get(text);
  if (before) return before;
  const machine = parseAnew(text);
  if (accepted.size >= REMEMBERED) accepted.clear();
  accepted.set(text, machine);
  return machine;
}

/** Definitions that were accepted; nobody changes them. A simulation deploys the same ones a thousand times. */
const accepted = new Map<string, StateMachine>();
const REMEMBERED = 16;

function parseAnew(text: string): StateMachine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DefinitionError([`INVALID_JSON_DESCRIPTION: ${error instanceof Error ? error.message : error}`]);
  }
  const parsed = StateMachine.safeParse(json);
  if (!parsed.success) throw new DefinitionError(parsed.error.issues.flatMap((issue) => describe(issue)));
  const faults = [...checkNames(parsed.data)];
  for (const at of flows(parsed.data)) faults.push(...checkFlow(at));
  faults.push(...checkVariables({ flow: parsed.data, path: [], pointer: '' }, new Set()));
  if (faults.length > 0) throw new DefinitionError(faults);
  return parsed.data;
}

function describe(issue: z.core.$ZodIssue, prefix: PropertyKey[] = []): string[] {
  const path = [...prefix, ...issue.path];
  // Of a union's alternatives the one that went deepest into the value says best what is wrong with it.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const deepest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0]!;
    if (depth(deepest) > 0) return deepest.flatMap((inner) => describe(inner, path));
  }
  return [`SCHEMA_VALIDATION_FAILED: ${issue.message} at ${pointer(path)}`];
}

const depth = (issues: z.core.$ZodIssue[]) => Math.max(0, ...issues.map((issue) => issue.path.length));

const pointer = (path: PropertyKey[]) =>
  path.map((part) => (typeof part === 'number' ? `[${part}]` : `/${String(part)}`)).join('') || '/';

/** State names are unique in the whole definition, also across Map and Parallel states. */
function* checkNames(machine: StateMachine): Generator<string> {
  const seen = new Set<string>();
  for (const { flow, pointer } of flows(machine))
    for (const name of Object.keys(flow.States)) {
      if (seen.has(name)) yield `DUPLICATE_STATE_NAME: State name "${name}" is used twice at ${pointer}/States/${name}`;
      seen.add(name);
    }
}

function* checkFlow({ flow, pointer }: FlowAt): Generator<string> {
  const missing = (field: string, target: string) =>
    `MISSING_TRANSITION_TARGET: Missing '${field}' target: ${target} at ${pointer}`;
  const names = new Set(Object.keys(flow.States));
  if (!names.has(flow.StartAt)) yield `${missing('StartAt', flow.StartAt)}/StartAt`;
  const reached = reachable(flow);
  for (const [name, state] of Object.entries(flow.States)) {
    const at = `${pointer}/States/${name}`;
    for (const [field, target] of targets(state))
      if (!names.has(target)) yield `${missing(field.split('/').at(-1)!, target)}/States/${name}/${field}`;
    if (!reached.has(name)) yield `MISSING_TRANSITION_TARGET: State "${name}" is not reachable. at ${at}`;
    for (const fault of checkState(state)) yield `SCHEMA_VALIDATION_FAILED: ${fault} at ${at}`;
    for (const [field, text] of stateStrings(state)) {
      const fault = checkText(text);
      if (fault) yield `SCHEMA_VALIDATION_FAILED: ${fault} at ${at}/${field}`;
    }
  }
}

function reachable({ StartAt, States }: FlowAt['flow']): Set<string> {
  const reached = new Set<string>();
  const pending = [StartAt];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const state = States[name];
    if (!state || reached.has(name)) continue;
    reached.add(name);
    pending.push(...targets(state).map(([, target]) => target));
  }
  return reached;
}

/** What a schema of one field cannot say. */
function* checkState(state: State): Generator<string> {
  if (state.Type !== 'Choice' && state.Type !== 'Succeed' && state.Type !== 'Fail')
    if ((state.End === true) === (state.Next !== undefined)) yield 'Exactly one of "Next" and "End" must be given';
  if (state.Type === 'Wait') {
    if ((state.Seconds === undefined) === (state.Timestamp === undefined))
      yield 'Exactly one of "Seconds" and "Timestamp" must be given';
    if (state.Timestamp !== undefined && expressionOf(state.Timestamp) === undefined && !isTimestamp(state.Timestamp))
      yield `"Timestamp" must be an RFC 3339 time, is "${state.Timestamp}"`;
  }
  if (state.Type === 'Task') {
    const { TimeoutSeconds, HeartbeatSeconds } = state;
    if (
      typeof TimeoutSeconds === 'number' &&
      typeof HeartbeatSeconds === 'number' &&
      HeartbeatSeconds >= TimeoutSeconds
    )
      yield '"HeartbeatSeconds" must be smaller than "TimeoutSeconds"';
  }
  if ('Retry' in state) yield* checkWildcards('Retry', state.Retry);
  if ('Catch' in state) yield* checkWildcards('Catch', state.Catch);
}

/** States.ALL must stand alone in its list, and its list last. */
function* checkWildcards(field: string, rules: { ErrorEquals: string[] }[] = []): Generator<string> {
  for (const [index, { ErrorEquals }] of rules.entries()) {
    if (!ErrorEquals.includes('States.ALL')) continue;
    if (ErrorEquals.length > 1) yield `States.ALL must be alone in "${field}[${index}]/ErrorEquals"`;
    if (index < rules.length - 1) yield `States.ALL must be in the last element of "${field}"`;
  }
}

/** RFC 3339 with an upper-case T and Z, as AWS wants it. */
export const isTimestamp = (text: string): boolean => z.iso.datetime({ offset: true }).safeParse(text).success;

function checkText(text: string): string | undefined {
  const expression = expressionOf(text);
  if (expression === undefined) {
    const trimmed = text.trim();
    const braced = trimmed.startsWith('{%') || trimmed.endsWith('%}');
    return braced ? 'A JSONata expression must start with {% and end with %}, without spaces around them' : undefined;
  }
  try {
    variablesRead(expression);
    return undefined;
  } catch (error) {
    const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
    return `JSONata syntax error: ${message}`;
  }
}

/**
 * Variables live in the flow that assigns them and can be read in the flows inside it. An inner flow must not assign a
 * name that a flow around it assigns (Developer Guide, "Passing data between states with variables"). Reading a
 * variable that nothing in scope ever assigns can only fail, so it is refused here, earlier than AWS does.
 */
function* checkVariables(at: FlowAt, outer: Set<string>): Generator<string> {
  const own = new Set<string>();
  for (const [name, state] of Object.entries(at.flow.States))
    for (const variable of assigned(state)) {
      own.add(variable);
      if (outer.has(variable))
        yield `SCHEMA_VALIDATION_FAILED: Variable "${variable}" is assigned in an outer scope too at ${at.pointer}/States/${name}`;
    }
  const visible = new Set([...outer, ...own]);
  for (const [name, state] of Object.entries(at.flow.States)) {
    for (const [field, text] of stateStrings(state)) {
      const expression = expressionOf(text);
      if (expression === undefined || checkText(text) !== undefined) continue;
      for (const variable of variablesRead(expression))
        if (!visible.has(variable))
          yield `SCHEMA_VALIDATION_FAILED: Variable "${variable}" is never assigned at ${at.pointer}/States/${name}/${field}`;
    }
    for (const inner of innerFlows(name, state, at)) yield* checkVariables(inner, visible);
  }
}

function assigned(state: State): string[] {
  const parts: { Assign?: Record<string, unknown> }[] = [];
  if ('Assign' in state) parts.push(state);
  if (state.Type === 'Choice') parts.push(...state.Choices);
  if ('Catch' in state) parts.push(...(state.Catch ?? []));
  return parts.flatMap((part) => Object.keys(part.Assign ?? {}));
}
