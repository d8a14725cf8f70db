/** Rules and their targets: AWS::Events::Rule and the members of the API. */
import { z } from 'zod';
import { INTEGER } from '../scalars';
import { AwsError } from '../service';
import { checkInput, INPUT } from './input';
import { compilePattern, type Matches } from './pattern';
import { compileSchedule, type NextTime } from './schedule';

const NAME = z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits and .-_');
const STATE = z.enum(['ENABLED', 'DISABLED']).default('ENABLED');
const BUS = z.literal('default').default('default');

export const TARGET = z.strictObject({
  Id: z.string().min(1).max(64),
  Arn: z.string().min(1),
  RoleArn: z.string().optional(),
  ...INPUT,
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: INTEGER.pipe(z.int().min(0).max(185)).default(185),
      MaximumEventAgeInSeconds: INTEGER.pipe(z.int().min(60).max(86_400)).default(86_400),
    })
    .default({ MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 }),
});
export type Target = z.infer<typeof TARGET>;

const TARGETS = z.array(TARGET).max(5);

export const RULE = z.strictObject({
  Name: NAME.optional(),
  Description: z.string().max(512).optional(),
  EventBusName: BUS,
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: z.string().optional(),
  State: STATE,
  RoleArn: z.string().optional(),
  Targets: TARGETS.default([]),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});

export const PUT_RULE = z.strictObject({
  Name: NAME,
  Description: z.string().max(512).optional(),
  EventBusName: BUS,
  EventPattern: z.string().optional(),
  ScheduleExpression: z.string().optional(),
  State: STATE,
  RoleArn: z.string().optional(),
});
export const PUT_TARGETS = z.strictObject({ Rule: NAME, EventBusName: BUS, Targets: TARGETS });
export const NAMED_RULE = z.strictObject({ Name: NAME, EventBusName: BUS });
export const RULE_TARGETS = z.strictObject({ Rule: NAME, EventBusName: BUS });
export const LIST_RULES = z.strictObject({ NamePrefix: z.string().optional(), EventBusName: BUS });
export const TEST_EVENT_PATTERN = z.strictObject({ EventPattern: z.string(), Event: z.string() });

/** Who a target is, by its ARN. */
export type TargetKind = 'lambda' | 'states' | 'sns';

export interface Rule {
  name: string;
  arn: string;
  description: string | undefined;
  roleArn: string | undefined;
  enabled: boolean;
  /** JSON text. */
  pattern: string | undefined;
  matches: Matches | undefined;
  schedule: string | undefined;
  nextTime: NextTime | undefined;
  targets: Target[];
}

/** @throws AwsError for a pattern, schedule or target that AWS refuses, or that is not modelled. */
export function makeRule(
  given: {
    name: string;
    arn: string;
    description?: string;
    pattern?: unknown;
    schedule?: string;
    enabled: boolean;
    roleArn?: string;
  },
  targets: Target[],
): Rule {
  const { name, arn, description, pattern, schedule, enabled, roleArn } = given;
  if (pattern === undefined && schedule === undefined)
    throw new AwsError('ValidationException', 'Parameter(s) EventPattern or ScheduleExpression must be specified.');
  checkTargets(targets);
  return {
    name,
    arn,
    description,
    roleArn,
    enabled,
    pattern: pattern === undefined ? undefined : JSON.stringify(pattern),
    matches: pattern === undefined ? undefined : compilePattern(pattern),
    schedule,
    nextTime: schedule === undefined ? undefined : compileSchedule(schedule),
    targets,
  };
}

export function checkTargets(targets: Target[]): void {
  for (const target of targets) {
    checkInput(target, target.Id);
    if (kindOf(target) === 'states' && target.RoleArn === undefined)
      throw new AwsError('ValidationException', `RoleArn is required for target ${target.Arn}.`);
  }
}

export function kindOf({ Arn, Id }: Target): TargetKind {
  const service = Arn.split(':')[2];
  if (service === 'lambda' || service === 'states' || service === 'sns') return service;
  throw new AwsError('ValidationException', `Target ${Id}: the embedded AWS does not model the target ${Arn}.`);
}

/** @throws AwsError InvalidEventPatternException */
export function parsePattern(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AwsError('InvalidEventPatternException', 'Event pattern is not valid. Reason: Invalid JSON');
  }
}
