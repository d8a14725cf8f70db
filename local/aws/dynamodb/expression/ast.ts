/** The trees that expressions parse into. Names and values are already resolved from their placeholders. */
import type { AttributeValue } from '../attribute-value';

/** Map keys are strings, list indices numbers. */
export type DocumentPath = readonly (string | number)[];

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Operand =
  | { kind: 'path'; path: DocumentPath }
  | { kind: 'value'; value: AttributeValue }
  /** `size(path)`, the one function that yields a value in a condition. */
  | { kind: 'size'; of: Operand };

export type ConditionFunction =
  | 'attribute_exists'
  | 'attribute_not_exists'
  | 'attribute_type'
  | 'begins_with'
  | 'contains';

export type Condition =
  | { kind: 'and' | 'or'; left: Condition; right: Condition }
  | { kind: 'not'; condition: Condition }
  | { kind: 'compare'; comparator: Comparator; left: Operand; right: Operand }
  | { kind: 'between'; operand: Operand; low: Operand; high: Operand }
  | { kind: 'in'; operand: Operand; among: Operand[] }
  | { kind: 'function'; name: ConditionFunction; args: Operand[] };

export type SetValue =
  | { kind: 'path'; path: DocumentPath }
  | { kind: 'value'; value: AttributeValue }
  | { kind: 'arithmetic'; sign: '+' | '-'; left: SetValue; right: SetValue }
  | { kind: 'if_not_exists'; path: DocumentPath; otherwise: SetValue }
  | { kind: 'list_append'; left: SetValue; right: SetValue };

export type UpdateAction =
  | { kind: 'set'; path: DocumentPath; value: SetValue }
  | { kind: 'remove'; path: DocumentPath }
  | { kind: 'add' | 'delete'; path: DocumentPath; value: AttributeValue };

/** A path as DynamoDB writes it in its errors: `[a, b, [0]]`. */
export const showPath = (path: DocumentPath): string =>
  `[${path.map((part) => (typeof part === 'number' ? `[${part}]` : part)).join(', ')}]`;
