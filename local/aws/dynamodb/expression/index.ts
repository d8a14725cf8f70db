/** Parses all expressions of one request together, because they share their placeholders. */
import type { RawItem } from '../attribute-value';
import { invalid } from '../errors';
import type { Condition, DocumentPath, UpdateAction } from './ast';
import { parseCondition } from './condition';
import { ExpressionError } from './error';
import { Placeholders } from './placeholders';
import { parseProjection } from './projection';
import { parseUpdate } from './update';

interface Source {
  UpdateExpression?: string | undefined;
  ConditionExpression?: string | undefined;
  KeyConditionExpression?: string | undefined;
  FilterExpression?: string | undefined;
  ProjectionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: RawItem | undefined;
}

export interface Expressions {
  update?: UpdateAction[];
  condition?: Condition;
  keyCondition?: Condition;
  filter?: Condition;
  projection?: DocumentPath[];
}

/** Throws ValidationException, naming the parameter that is wrong. */
export function parseExpressions(source: Source): Expressions {
  const placeholders = new Placeholders(source.ExpressionAttributeNames, source.ExpressionAttributeValues);
  const parse = <T>(
    parameter: keyof Source,
    text: string | undefined,
    parser: (text: string, p: Placeholders) => T,
  ) => {
    if (text === undefined) return undefined;
    try {
      return parser(text, placeholders);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw invalid(`Invalid ${parameter}: ${error.message}`);
    }
  };
  const expressions = {
    update: parse('UpdateExpression', source.UpdateExpression, parseUpdate),
    condition: parse('ConditionExpression', source.ConditionExpression, parseCondition),
    keyCondition: parse('KeyConditionExpression', source.KeyConditionExpression, parseCondition),
    filter: parse('FilterExpression', source.FilterExpression, parseCondition),
    projection: parse('ProjectionExpression', source.ProjectionExpression, parseProjection),
  };
  placeholders.checkAllUsed(Object.values(expressions).some((parsed) => parsed !== undefined));
  return expressions;
}
