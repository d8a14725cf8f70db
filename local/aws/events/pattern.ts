/**
 * EventBridge event patterns. A pattern is compiled once, which refuses what EventBridge refuses.
 * Source: EventBridge User Guide, "Comparison operators for use in event patterns".
 */
import { AwsError } from '../service';

export type Matches = (event: unknown) => boolean;
type Test = (value: unknown) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (reason: string) =>
  new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);

/**
 * Turns a pattern into a predicate.
 * @throws AwsError InvalidEventPatternException naming the field and operator.
 */
export function compilePattern(pattern: unknown): Matches {
  if (!isObject(pattern)) throw refuse('Filter is not an object');
  if (Object.keys(pattern).length === 0) throw refuse('Empty patterns are not allowed');
  return fields(pattern, '');
}

function fields(pattern: Record<string, unknown>, path: string): Matches {
  const tests = Object.entries(pattern).map(([name, rule]) => {
    const at = path ? `${path}.${name}` : name;
    if (name === '$or') return either(rule, path);
    if (Array.isArray(rule)) return leaf(name, rule, at);
    if (!isObject(rule)) throw refuse(`"${at}" must be an object or an array`);
    if (Object.keys(rule).length === 0) throw refuse(`Empty objects are not allowed at "${at}"`);
    const inner = fields(rule, at);
    return (event: unknown) => anyOf(isObject(event) ? event[name] : undefined).some(inner);
  });
  return (event) => tests.every((test) => test(event));
}

function either(rule: unknown, path: string): Matches {
  if (!Array.isArray(rule) || rule.length < 2 || !rule.every(isObject))
    throw refuse(`"$or" must be an array of at least two objects${path ? ` at "${path}"` : ''}`);
  const branches = rule.map((branch) => fields(branch, path));
  return (event) => branches.some((branch) => branch(event));
}

/** A field matches when one of its tests holds for one of its values. */
function leaf(name: string, rules: unknown[], at: string): Matches {
  if (rules.length === 0) throw refuse(`Empty arrays are not allowed at "${at}"`);
  const tests = rules.map((rule) => compileTest(rule, at));
  return (event) => {
    const value = isObject(event) && Object.hasOwn(event, name) ? event[name] : ABSENT;
    return tests.some((test) => anyOf(value).some(test));
  };
}

/** What a test sees of a field that is not there. */
const ABSENT = Symbol('absent');

/** A field with a list holds each of its items. */
function anyOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

function compileTest(rule: unknown, at: string): Test {
  if (rule === null || typeof rule === 'string' || typeof rule === 'number' || typeof rule === 'boolean')
    return (value) => value === rule;
  if (!isObject(rule)) throw refuse(`Arrays of arrays are not allowed at "${at}"`);
  const entries = Object.entries(rule);
  const [operator, operand] = entries[0] ?? ['', undefined];
  if (entries.length !== 1) throw refuse(`Only one key allowed in match expression at "${at}"`);
  switch (operator) {
    case 'exists': {
      if (typeof operand !== 'boolean') throw refuse(`exists match pattern must be true or false at "${at}"`);
      // Only leaves exist for EventBridge: an object does not.
      return (value) => (value !== ABSENT && !isObject(value)) === operand;
    }
    case 'numeric':
      return numeric(operand, at);
    case 'anything-but':
      return anythingBut(operand, at);
    case 'prefix':
    case 'suffix':
      return affix(operator, operand, at);
    case 'equals-ignore-case':
    case 'wildcard':
      return textTest(operator, operand, at);
    default:
      throw refuse(`Unrecognized match type ${operator} at "${at}"`);
  }
}

function affix(operator: 'prefix' | 'suffix', operand: unknown, at: string): Test {
  if (!isObject(operand)) return textTest(operator, operand, at);
  const folded = operand['equals-ignore-case'];
  if (Object.keys(operand).length !== 1 || typeof folded !== 'string')
    throw refuse(`Unsupported ${operator} pattern at "${at}"`);
  const test = textTest(operator, folded.toLowerCase(), at);
  return (value) => typeof value === 'string' && test(value.toLowerCase());
}

type TextOperator = 'prefix' | 'suffix' | 'equals-ignore-case' | 'wildcard';

function textTest(operator: TextOperator, operand: unknown, at: string): Test {
  if (typeof operand !== 'string') throw refuse(`${operator} match pattern must be a string at "${at}"`);
  const test = ((): ((text: string) => boolean) => {
    switch (operator) {
      case 'prefix':
        return (text) => text.startsWith(operand);
      case 'suffix':
        return (text) => text.endsWith(operand);
      case 'equals-ignore-case':
        return (text) => text.toLowerCase() === operand.toLowerCase();
      case 'wildcard':
        return wildcard(operand, at);
    }
  })();
  return (value) => typeof value === 'string' && test(value);
}

/** `*` is any text; `\*` and `\\` are themselves. */
function wildcard(pattern: string, at: string): (text: string) => boolean {
  if (/\*\*/.test(pattern)) throw refuse(`Consecutive wildcard characters at "${at}"`);
  if (/\\(?![*\\])/.test(pattern.replaceAll('\\\\', ''))) throw refuse(`Invalid escape character at "${at}"`);
  const source = pattern.replace(/\\([*\\])|\*|[.+?^${}()|[\]\\]/g, (found, escaped?: string) => {
    if (escaped) return `\\${escaped}`;
    return found === '*' ? '[\\s\\S]*' : `\\${found}`;
  });
  const expression = new RegExp(`^${source}$`);
  return (text) => expression.test(text);
}

function anythingBut(operand: unknown, at: string): Test {
  const present =
    (test: Test): Test =>
    (value) =>
      value !== ABSENT && !isObject(value) && !test(value);
  if (isObject(operand)) {
    const [[operator, values] = ['', undefined], ...more] = Object.entries(operand);
    const text = (['prefix', 'suffix', 'equals-ignore-case', 'wildcard'] as const).find((known) => known === operator);
    if (!text || more.length > 0) throw refuse(`Unsupported anything-but pattern at "${at}"`);
    const tests = (Array.isArray(values) ? values : [values]).map((value) => textTest(text, value, at));
    return present((value) => tests.some((test) => test(value)));
  }
  const values = Array.isArray(operand) ? operand : [operand];
  if (values.length === 0 || !values.every((value) => typeof value === 'string' || typeof value === 'number'))
    throw refuse(`anything-but must be a string, a number or a list of them at "${at}"`);
  const excluded: unknown[] = values;
  return present((value) => excluded.includes(value));
}

const COMPARISONS: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(operand: unknown, at: string): Test {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4))
    throw refuse(`Invalid member in numeric match at "${at}"`);
  const tests: ((value: number) => boolean)[] = [];
  for (let i = 0; i < operand.length; i += 2) {
    const [operator, bound]: unknown[] = operand.slice(i, i + 2);
    const compare = typeof operator === 'string' ? COMPARISONS[operator] : undefined;
    if (!compare) throw refuse(`Unrecognized numeric range operator: ${String(operator)} at "${at}"`);
    if (typeof bound !== 'number' || Math.abs(bound) > 5e9)
      throw refuse(`Value of ${operator} must be numeric and between -5.0e9 and 5.0e9, inclusive, at "${at}"`);
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}
