/** Evaluates template values: intrinsic functions, references and conditions. */
import { DeploymentError, type Place } from './errors';
import { FUNCTIONS, FunctionError, list, text, values } from './functions';

/** What a template value may refer to. Each throws FunctionError for a name that does not exist. */
export interface Scope {
  /** A parameter, pseudo parameter or resource. */
  ref(name: string): unknown;
  attribute(logicalId: string, name: string): unknown;
  condition(name: string): boolean;
  mapping(map: string, key: string, name: string): unknown;
  /** Availability zones of this region. Throws for another one. */
  zones(region: string): string[];
}

/** The value of `AWS::NoValue`: the property or element that has it does not exist. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** @throws DeploymentError naming the place */
export function evaluate(value: unknown, scope: Scope, place: Place = {}): unknown {
  return at(place, () => new Evaluation(scope).value(value, place));
}

/** @throws DeploymentError naming the place */
export function evaluateCondition(value: unknown, scope: Scope, place: Place = {}): boolean {
  return at(place, () => new Evaluation(scope).condition(value, place));
}

/** A dynamic reference would be resolved by CloudFormation at deployment. Ours are parameters instead. */
const DYNAMIC_REFERENCE = /\{\{resolve:[^}]*\}\}/;

class Evaluation {
  constructor(private readonly scope: Scope) {}

  value(value: unknown, place: Place): unknown {
    if (typeof value === 'string') {
      const reference = DYNAMIC_REFERENCE.exec(value)?.[0];
      if (reference) throw new DeploymentError(`the dynamic reference ${reference} is not modelled`, place);
      return value;
    }
    if (Array.isArray(value)) {
      return value.map((item, index) => this.value(item, inside(place, index))).filter((item) => item !== NO_VALUE);
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (first && entries.length === 1 && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
      return at(place, () => this.intrinsic(first[0], first[1], place));
    }
    return Object.fromEntries(
      entries
        .map(([key, item]) => [key, this.value(item, inside(place, key))] as const)
        .filter(([, item]) => item !== NO_VALUE),
    );
  }

  private intrinsic(name: string, argument: unknown, place: Place): unknown {
    switch (name) {
      case 'Ref': {
        const target = text(argument);
        return target === 'AWS::NoValue' ? NO_VALUE : this.scope.ref(target);
      }
      case 'Fn::GetAtt': {
        const [logicalId, ...attribute] = typeof argument === 'string' ? argument.split('.') : list(argument);
        return this.scope.attribute(text(logicalId), attribute.map((part) => text(this.value(part, place))).join('.'));
      }
      case 'Fn::Sub':
        return this.substitute(argument, place);
      case 'Fn::If': {
        const [condition, yes, no] = values(argument, 3);
        return this.value(this.scope.condition(text(condition)) ? yes : no, place);
      }
      case 'Fn::FindInMap': {
        const [map, key, attribute] = values(this.value(argument, place), 3).map(text);
        return this.scope.mapping(map!, key!, attribute!);
      }
      case 'Fn::GetAZs':
        return this.scope.zones(text(this.value(argument, place)));
    }
    const compute = FUNCTIONS[name.slice('Fn::'.length)];
    if (!compute) throw new FunctionError(`${name} is not modelled`);
    return compute(this.value(argument, place));
  }

  private substitute(argument: unknown, place: Place): string {
    const [template, given] = typeof argument === 'string' ? [argument, {}] : values(argument, 2);
    const variables = this.value(given, place);
    if (typeof variables !== 'object' || variables === null)
      throw new FunctionError('Fn::Sub takes a map of variables');
    const known = new Map(Object.entries(variables));
    return text(template).replace(/\$\{(!?)([^}]*)\}/g, (placeholder, literal: string, inner: string) => {
      if (literal) return `\${${inner}}`;
      const name = inner.trim();
      if (known.has(name)) return text(known.get(name));
      const [logicalId = '', ...attribute] = name.split('.');
      if (!/^[A-Za-z0-9:]+$/.test(logicalId)) throw new FunctionError(`${placeholder} is not a reference`);
      return text(attribute.length > 0 ? this.scope.attribute(logicalId, attribute.join('.')) : this.scope.ref(name));
    });
  }

  /** `{Condition: name}` means a condition only here: elsewhere it is a key like any other, as in IAM statements. */
  condition(value: unknown, place: Place): boolean {
    const [entry, ...more] = typeof value === 'object' && value ? Object.entries(value) : [];
    if (!entry || more.length > 0) throw new FunctionError(`a condition was expected, not ${JSON.stringify(value)}`);
    const [name, argument] = entry;
    const each = (most: number) =>
      values(argument, name === 'Fn::Not' ? 1 : 2, most).map((item) => this.condition(item, place));
    switch (name) {
      case 'Condition':
        return this.scope.condition(text(argument));
      case 'Fn::Not':
        return !each(1)[0];
      case 'Fn::And':
        return each(10).every(Boolean);
      case 'Fn::Or':
        return each(10).some(Boolean);
      case 'Fn::Equals': {
        const [left, right] = values(this.value(argument, place), 2);
        return JSON.stringify(left) === JSON.stringify(right);
      }
      // In rules only.
      case 'Fn::Contains': {
        const [strings, wanted] = values(this.value(argument, place), 2);
        return list(strings).includes(wanted);
      }
    }
    throw new FunctionError(`${name} is not modelled in conditions`);
  }
}

function inside(place: Place, key: string | number): Place {
  return { ...place, property: place.property === undefined ? String(key) : `${place.property}.${key}` };
}

function at<T>(place: Place, task: () => T): T {
  try {
    return task();
  } catch (error) {
    if (error instanceof FunctionError) throw new DeploymentError(error.message, place, { cause: error });
    throw error;
  }
}
