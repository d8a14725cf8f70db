/** Finds the policies in the properties of a CloudFormation resource. */
import { IDENTITY_POLICY, RESOURCE_POLICY, type Statement, TRUST_POLICY } from '../policy';

export interface Found {
  /** Where the statement is: `Policies/1/PolicyDocument/Statement/0`. */
  path: string;
  statement: Statement;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** @param properties resolved */
export function statementsIn(properties: unknown, path: readonly string[] = []): Found[] {
  if (!isRecord(properties)) return [];
  if ('Statement' in properties && 'Version' in properties) {
    return parse(properties, path).map((statement, index) => ({
      path: [...path, 'Statement', index].join('/'),
      statement,
    }));
  }
  return Object.entries(properties).flatMap(([name, value]) => statementsIn(value, [...path, name]));
}

function parse(document: Record<string, unknown>, path: readonly string[]): Statement[] {
  if (path.at(-1) === 'AssumeRolePolicyDocument') return TRUST_POLICY.parse(document).Statement;
  const identity = IDENTITY_POLICY.safeParse(document);
  return identity.success ? identity.data.Statement : RESOURCE_POLICY.parse(document).Statement;
}
