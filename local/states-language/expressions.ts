/** Where the JSONata expressions of a definition stand, and what each one reads. */
import jsonata from 'jsonata';
import { flows, type State, type StateMachine } from './definition';
import { isObject, type Json } from './json';

export interface Expression {
  /** The states around the expression's state, outermost first, and the state itself. */
  path: string[];
  /** As AWS writes locations: `Arguments/Payload/slot`, `Choices[0]/Condition`. */
  field: string;
  /** Without its braces. */
  expression: string;
}

/** The source of `{% source %}`, or undefined for a string that is just text. */
export function expressionOf(text: string): string | undefined {
  return text.startsWith('{%') && text.endsWith('%}') && text.length >= 4 ? text.slice(2, -2).trim() : undefined;
}

/** Fields of a state that hold expressions, in the order in which a visit evaluates them. */
function fields(state: State): [field: string, template: Json][] {
  const found: [string, Json | undefined][] = [];
  const data = (prefix: string, part: { Output?: Json; Assign?: Record<string, Json> }) =>
    found.push([`${prefix}Output`, part.Output], [`${prefix}Assign`, part.Assign]);
  switch (state.Type) {
    case 'Task':
      found.push(['TimeoutSeconds', state.TimeoutSeconds], ['HeartbeatSeconds', state.HeartbeatSeconds]);
      found.push(['Arguments', state.Arguments]);
      break;
    case 'Parallel':
      found.push(['Arguments', state.Arguments]);
      break;
    case 'Map':
      found.push(['MaxConcurrency', state.MaxConcurrency], ['Items', state.Items]);
      found.push(['ItemSelector', state.ItemSelector]);
      break;
    case 'Wait':
      found.push(['Seconds', state.Seconds], ['Timestamp', state.Timestamp]);
      break;
    case 'Fail':
      found.push(['Error', state.Error], ['Cause', state.Cause]);
      break;
    case 'Choice':
      for (const [index, rule] of state.Choices.entries()) {
        found.push([`Choices[${index}]/Condition`, rule.Condition]);
        data(`Choices[${index}]/`, rule);
      }
      break;
  }
  if (state.Type !== 'Fail') data('', state);
  if ('Catch' in state) for (const [index, catcher] of (state.Catch ?? []).entries()) data(`Catch[${index}]/`, catcher);
  return found.filter((entry): entry is [string, Json] => entry[1] !== undefined);
}

/** Every string of a template with its location. */
export function* strings(template: Json, field: string): Generator<[field: string, text: string]> {
  if (typeof template === 'string') yield [field, template];
  else if (Array.isArray(template))
    for (const [index, item] of template.entries()) yield* strings(item, `${field}[${index}]`);
  else if (isObject(template))
    for (const [name, member] of Object.entries(template)) yield* strings(member, `${field}/${name}`);
}

/** Every string of a state that may be an expression. */
export function* stateStrings(state: State): Generator<[field: string, text: string]> {
  for (const [field, template] of fields(state)) yield* strings(template, field);
}

/** Every JSONata expression of a definition, so that a test can evaluate each of them. */
export function listExpressions(machine: StateMachine): Expression[] {
  const found: Expression[] = [];
  for (const { flow, path } of flows(machine))
    for (const [name, state] of Object.entries(flow.States))
      for (const [field, text] of stateStrings(state)) {
        const expression = expressionOf(text);
        if (expression !== undefined) found.push({ path: [...path, name], field, expression });
      }
  return found;
}

/** Names of the functions that are always defined: JSONata's own and those that AWS adds. */
const FUNCTIONS = new Set(
  (
    'abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl ' +
    'decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase ' +
    'formatInteger formatNumber fromMillis join keys length lookup lowercase map match max merge millis min not now ' +
    'number pad parseInteger power random reduce replace reverse round shuffle sift single sort split spread sqrt ' +
    'string substring substringAfter substringBefore sum toMillis trim type uppercase zip ' +
    'partition range hash uuid parse'
  ).split(' '),
);

/** By expression: definitions repeat theirs in many states, and reading one means parsing it. */
const READ = new Map<string, ReadonlySet<string>>();

/**
 * The workflow variables an expression reads. A name that the expression itself binds anywhere is not counted.
 * @throws what the JSONata parser throws.
 */
export function variablesRead(expression: string): ReadonlySet<string> {
  const known = READ.get(expression) ?? readVariables(expression);
  READ.set(expression, known);
  return known;
}

function readVariables(expression: string): Set<string> {
  const read = new Set<string>();
  const bound = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (!isObject(node)) return;
    if (node.type === 'bind' && isObject(node.lhs)) bound.add(String(node.lhs.value));
    if (node.type === 'lambda' && Array.isArray(node.arguments))
      for (const argument of node.arguments) if (isObject(argument)) bound.add(String(argument.value));
    // `@$name` and `#$name` bind the context and the index of a path step.
    for (const binder of [node.focus, node.index]) if (typeof binder === 'string') bound.add(binder);
    if (node.type === 'variable') read.add(String(node.value));
    for (const child of Object.values(node)) visit(child);
  };
  visit(jsonata(expression).ast());
  for (const name of [...bound, ...FUNCTIONS, 'states', '', '$']) read.delete(name);
  return read;
}
