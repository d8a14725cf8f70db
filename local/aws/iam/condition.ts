/**
 * The Condition element.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { compileGlob, type Matches } from './glob';

/** A condition key's value in a request, by its name in lower case; undefined when the request has none. */
export type Lookup = (key: string) => string | readonly string[] | undefined;

export type Condition = (lookup: Lookup) => boolean;

interface Operator {
  /** Of one value in the policy. */
  compile(wanted: string): Matches;
  /** True when no value in the policy may match, and thus also when the request has no value. */
  negated: boolean;
}

const equals =
  (wanted: string): Matches =>
  (value) =>
    value === wanted;
const ignoringCase = (wanted: string): Matches => {
  const lower = wanted.toLowerCase();
  return (value) => value.toLowerCase() === lower;
};
const numeric =
  (holds: (value: number, wanted: number) => boolean) =>
  (wanted: string): Matches => {
    const limit = Number(wanted);
    if (wanted.trim() === '' || Number.isNaN(limit)) throw new Error(`${wanted} is not a number`);
    return (value) => holds(Number(value), limit);
  };

/** Each of an ARN's six components is compared by itself. */
function arn(wanted: string): Matches {
  const components = split(wanted).map(compileGlob);
  if (components.length < 6) throw new Error(`${wanted} is not an ARN`);
  return (value) => {
    const given = split(value);
    return given.length === 6 && given.every((component, index) => components[index]!(component));
  };
}

function split(text: string): string[] {
  const parts = text.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

const is = (compile: Operator['compile']): Operator => ({ compile, negated: false });
const isNot = (compile: Operator['compile']): Operator => ({ compile, negated: true });

/** Those for dates, addresses and binary values are not modelled. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: is(equals),
  StringNotEquals: isNot(equals),
  StringEqualsIgnoreCase: is(ignoringCase),
  StringNotEqualsIgnoreCase: isNot(ignoringCase),
  StringLike: is(compileGlob),
  StringNotLike: isNot(compileGlob),
  NumericEquals: is(numeric((value, wanted) => value === wanted)),
  NumericNotEquals: isNot(numeric((value, wanted) => value === wanted)),
  NumericLessThan: is(numeric((value, wanted) => value < wanted)),
  NumericLessThanEquals: is(numeric((value, wanted) => value <= wanted)),
  NumericGreaterThan: is(numeric((value, wanted) => value > wanted)),
  NumericGreaterThanEquals: is(numeric((value, wanted) => value >= wanted)),
  Bool: is(ignoringCase),
  // "ArnEquals and ArnLike behave identically."
  ArnEquals: is(arn),
  ArnLike: is(arn),
  ArnNotEquals: isNot(arn),
  ArnNotLike: isNot(arn),
};

const NAME = /^(?:(?<set>ForAllValues|ForAnyValue):)?(?<operator>[A-Za-z]+?)(?<ifExists>IfExists)?$/;

/** How a policy names an operator. */
export interface OperatorName {
  set: 'ForAllValues' | 'ForAnyValue' | undefined;
  operator: string;
  ifExists: boolean;
}

/** @throws Error naming an operator that does not exist or is not modelled */
export function parseOperator(name: string): OperatorName {
  const { set, operator = '', ifExists } = NAME.exec(name)?.groups ?? {};
  const known = Object.hasOwn(OPERATORS, operator) || (operator === 'Null' && !set && !ifExists);
  if (!known) throw new Error(`the condition operator ${name} is not modelled`);
  return {
    set: set === 'ForAllValues' || set === 'ForAnyValue' ? set : undefined,
    operator,
    ifExists: ifExists !== undefined,
  };
}

/**
 * All operators and keys of the block must hold, each for any of its values.
 * @throws Error for what is not modelled
 */
export function compileCondition(
  block: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
): Condition {
  const tests = Object.entries(block).flatMap(([name, keys]) =>
    Object.entries(keys).map(([key, values]) => compileTest(parseOperator(name), key.toLowerCase(), values)),
  );
  return (lookup) => tests.every((test) => test(lookup));
}

function compileTest({ set, operator, ifExists }: OperatorName, key: string, values: readonly string[]): Condition {
  if (operator === 'Null') {
    const absent = values.map((value) => value.toLowerCase() === 'true');
    return (lookup) => absent.includes(lookup(key) === undefined);
  }
  const { compile, negated } = OPERATORS[operator]!;
  const compiled = values.map(compile);
  const one: Matches = (value) => compiled.some((matches) => matches(value)) !== negated;
  return (lookup) => {
    const value = lookup(key);
    if (value === undefined) return ifExists || set === 'ForAllValues' || (negated && set !== 'ForAnyValue');
    if (typeof value === 'string') return one(value);
    return set === 'ForAllValues' || (negated && !set) ? value.every(one) : value.some(one);
  };
}
