/** AWS::Lambda::Function and how functions are named. */
import { z } from 'zod';
import { CompiledStatement } from '../iam/statement';
import { INTEGER } from '../scalars';
import { AwsError } from '../service';

const TAGS = z.array(z.strictObject({ Key: z.string(), Value: z.string() }));

/** Limits: Lambda quotas, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const FUNCTION = z.strictObject({
  FunctionName: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, hyphens and underscores')
    .optional(),
  Description: z.string().max(256).optional(),
  Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
  Handler: z.string().max(128),
  Runtime: z.string().regex(/^nodejs\d+\.x$/, 'must be a Node.js runtime'),
  Architectures: z
    .array(z.enum(['arm64', 'x86_64']))
    .max(1)
    .optional(),
  Role: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/, 'must be the ARN of a role'),
  MemorySize: INTEGER.pipe(z.int().min(128).max(10_240)).default(128),
  Timeout: INTEGER.pipe(z.int().min(1).max(900)).default(3),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()).default({}) }).optional(),
  LoggingConfig: z
    .strictObject({
      LogGroup: z.string().optional(),
      LogFormat: z.enum(['Text', 'JSON']).optional(),
      ApplicationLogLevel: z.string().optional(),
      SystemLogLevel: z.string().optional(),
    })
    .optional(),
  TracingConfig: z.strictObject({ Mode: z.enum(['Active', 'PassThrough']) }).optional(),
  Tags: TAGS.optional(),
});
export type FunctionProperties = z.infer<typeof FUNCTION>;

/** Who may invoke a function beside its own account's principals. */
export const PERMISSION = z.strictObject({
  Action: z.literal('lambda:InvokeFunction'),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});

/** How asynchronous invocations are retried. */
export const EVENT_INVOKE_CONFIG = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST').default('$LATEST'),
  MaximumRetryAttempts: INTEGER.pipe(z.int().min(0).max(2)).default(2),
  MaximumEventAgeInSeconds: INTEGER.pipe(z.int().min(60).max(21_600)).default(21_600),
  DestinationConfig: z
    .strictObject({
      OnFailure: z.strictObject({
        Destination: z.string().regex(/^arn:aws:sns:/, 'must be a topic: others are not modelled'),
      }),
    })
    .optional(),
});

/** A permission as a statement of the function's resource policy. */
export function permissionStatement(
  functionArn: string,
  { Action, Principal, SourceArn, SourceAccount }: z.infer<typeof PERMISSION>,
): CompiledStatement {
  return new CompiledStatement({
    Effect: 'Allow',
    Principal: /^[a-z-]+\.amazonaws\.com$/.test(Principal) ? { Service: [Principal] } : { AWS: [Principal] },
    Action: [Action],
    Resource: [functionArn],
    Condition: {
      ...(SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': [SourceArn] } }),
      ...(SourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': [SourceAccount] } }),
    },
  });
}

export interface LambdaFunction {
  name: string;
  arn: string;
  properties: FunctionProperties;
  directory: string;
  logGroup: string;
  createdAt: number;
  permissions: CompiledStatement[];
  maximumRetryAttempts: number;
  maximumEventAgeSeconds: number;
  /** ARN of the topic that is told of an event given up. */
  onFailure: string | undefined;
}

const REFERENCE =
  /^(?:arn:aws:lambda:(?<region>[\w-]+):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[\w-]+)(?::(?<qualifier>\$LATEST))?$/;

/** The name in a name, a partial ARN or an ARN, as the API accepts them. */
export function functionName(reference: string): string {
  const name = REFERENCE.exec(reference)?.groups?.name;
  if (name === undefined)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${reference}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern`,
    );
  return name;
}
