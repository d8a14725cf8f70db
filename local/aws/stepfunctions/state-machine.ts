/** AWS::StepFunctions::StateMachine. */
import { z } from 'zod';
import { DefinitionError, listResources, type StateMachine as Parsed, parseDefinition } from '../../states-language';
import { BOOLEAN } from '../scalars';
import { AwsError } from '../service';
import { invalidDefinition } from './errors';

const SUBSTITUTION = z.union([z.string(), z.number(), z.boolean()]).transform(String);

export const STATE_MACHINE = z.strictObject({
  StateMachineName: z
    .string()
    .regex(/^[\w-]{1,80}$/, 'must be 1 to 80 letters, digits, hyphens and underscores')
    .optional(),
  StateMachineType: z.literal('STANDARD').default('STANDARD'),
  RoleArn: z.string().min(1),
  DefinitionString: z.string().optional(),
  DefinitionS3Location: z.strictObject({ Bucket: z.string(), Key: z.string() }).optional(),
  DefinitionSubstitutions: z.record(z.string(), SUBSTITUTION).default({}),
  LoggingConfiguration: z
    .strictObject({
      Level: z.enum(['ALL', 'ERROR', 'FATAL', 'OFF']).default('OFF'),
      IncludeExecutionData: BOOLEAN.default(false),
      Destinations: z
        .array(z.strictObject({ CloudWatchLogsLogGroup: z.strictObject({ LogGroupArn: z.string() }) }))
        .max(1)
        .default([]),
    })
    .optional(),
  TracingConfiguration: z.strictObject({ Enabled: BOOLEAN }).optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});
export type Properties = z.infer<typeof STATE_MACHINE>;

export interface Logging {
  level: 'ALL' | 'ERROR' | 'FATAL' | 'OFF';
  includeExecutionData: boolean;
  /** Name, not ARN. */
  logGroup: string | undefined;
}

export interface StateMachine {
  arn: string;
  name: string;
  roleArn: string;
  /** With its substitutions. */
  definition: string;
  parsed: Parsed;
  createdAt: number;
  logging: Logging;
  tracing: boolean;
}

/** Reads an object, as CloudFormation reads a definition from S3. */
export type ReadObject = (bucket: string, key: string) => Promise<string>;

/** The definition's text, its placeholders replaced. */
export async function definitionText(
  { DefinitionString, DefinitionS3Location, DefinitionSubstitutions }: Properties,
  readObject: ReadObject,
): Promise<string> {
  if ((DefinitionString === undefined) === (DefinitionS3Location === undefined))
    throw new AwsError('ValidationError', 'exactly one of DefinitionString and DefinitionS3Location must be given');
  const text = DefinitionString ?? (await readObject(DefinitionS3Location!.Bucket, DefinitionS3Location!.Key));
  return substitute(text, DefinitionSubstitutions);
}

/**
 * Replaces `${Name}`. CloudFormation would leave an unknown name as it stands, which can only fail later, so that it is
 * refused here.
 */
export function substitute(text: string, values: Record<string, string>): string {
  const missing = new Set<string>();
  const replaced = text.replace(/\$\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) missing.add(name);
    // Inside the definition's JSON strings: what is special there must be escaped.
    return value === undefined ? placeholder : JSON.stringify(value).slice(1, -1);
  });
  if (missing.size > 0)
    throw new AwsError('ValidationError', `DefinitionSubstitutions gives no value for ${[...missing].join(', ')}`);
  return replaced;
}

/** @throws AwsError InvalidDefinition, also for a task that the embedded AWS cannot run. */
export function parse(text: string, integrations: ReadonlySet<string>): Parsed {
  let parsed: Parsed;
  try {
    parsed = parseDefinition(text);
  } catch (error) {
    if (error instanceof DefinitionError) throw invalidDefinition(error.message);
    throw error;
  }
  for (const [resource, state] of listResources(parsed))
    if (!integrations.has(resource))
      throw invalidDefinition(
        `Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The resource ${resource} of state "${state}" is not modelled by the embedded AWS'`,
      );
  return parsed;
}

export function loggingOf({ LoggingConfiguration }: Properties): Logging {
  const arn = LoggingConfiguration?.Destinations[0]?.CloudWatchLogsLogGroup.LogGroupArn;
  return {
    level: LoggingConfiguration?.Level ?? 'OFF',
    includeExecutionData: LoggingConfiguration?.IncludeExecutionData ?? false,
    logGroup: arn?.split(':')[6],
  };
}
