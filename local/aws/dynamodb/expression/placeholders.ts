/**
 * `#names` and `:values` of one request. Every one of them must be used by some expression of the request, and every
 * one that is used must be defined.
 */

import { AwsError } from '../../service';
import type { AttributeValue, RawItem } from '../attribute-value';
import { parseValue } from '../attribute-value';
import { invalid } from '../errors';
import { ExpressionError } from './error';

export class Placeholders {
  private readonly names: Map<string, string>;
  private readonly values: Map<string, AttributeValue>;
  private readonly unusedNames: Set<string>;
  private readonly unusedValues: Set<string>;

  constructor(names: Record<string, string> | undefined, values: RawItem | undefined) {
    checkKeys('ExpressionAttributeNames', '#', names);
    checkKeys('ExpressionAttributeValues', ':', values);
    this.names = new Map(Object.entries(names ?? {}));
    this.values = new Map(Object.entries(values ?? {}).map(([key, raw]) => [key, parsed(key, raw)]));
    this.unusedNames = new Set(this.names.keys());
    this.unusedValues = new Set(this.values.keys());
  }

  name(placeholder: string): string {
    const name = this.names.get(placeholder);
    if (name === undefined) {
      throw new ExpressionError(
        `An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`,
      );
    }
    this.unusedNames.delete(placeholder);
    return name;
  }

  value(placeholder: string): AttributeValue {
    const value = this.values.get(placeholder);
    if (value === undefined) {
      throw new ExpressionError(
        `An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
      );
    }
    this.unusedValues.delete(placeholder);
    return value;
  }

  /** Call after every expression of the request has been parsed. */
  checkAllUsed(hasExpression: boolean): void {
    if (!hasExpression && this.names.size > 0) {
      throw invalid('ExpressionAttributeNames can only be specified when using expressions');
    }
    if (!hasExpression && this.values.size > 0) {
      throw invalid('ExpressionAttributeValues can only be specified when using expressions');
    }
    refuseUnused('ExpressionAttributeNames', this.unusedNames);
    refuseUnused('ExpressionAttributeValues', this.unusedValues);
  }
}

function refuseUnused(parameter: string, unused: Set<string>): void {
  if (unused.size === 0) return;
  throw invalid(`Value provided in ${parameter} unused in expressions: keys: {${[...unused].join(', ')}}`);
}

function checkKeys(parameter: string, sigil: '#' | ':', given: Record<string, unknown> | undefined): void {
  if (!given) return;
  const keys = Object.keys(given);
  if (keys.length === 0) throw invalid(`${parameter} must not be empty`);
  const wrong = keys.find((key) => !/^[A-Za-z0-9_]+$/.test(key.slice(1)) || key[0] !== sigil);
  if (wrong !== undefined) throw invalid(`${parameter} contains invalid key: Syntax error; key: "${wrong}"`);
}

function parsed(key: string, raw: RawItem[string]): AttributeValue {
  try {
    return parseValue(raw);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalid(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`);
  }
}
