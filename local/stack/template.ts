/** The shape of a CloudFormation template. A section or attribute that is not listed is refused by name. */
import { z } from 'zod';

const ANY_MAP = z.record(z.string(), z.unknown());

const PARAMETER = z.strictObject({
  Type: z.string(),
  Default: z.union([z.string(), z.number()]).transform(String).optional(),
  Description: z.string().optional(),
  AllowedValues: z.array(z.union([z.string(), z.number()]).transform(String)).optional(),
  AllowedPattern: z.string().optional(),
  ConstraintDescription: z.string().optional(),
  MinLength: z.union([z.number(), z.string()]).transform(Number).optional(),
  MaxLength: z.union([z.number(), z.string()]).transform(Number).optional(),
  NoEcho: z.union([z.boolean(), z.string()]).optional(),
});
export type Parameter = z.infer<typeof PARAMETER>;

const RESOURCE = z.strictObject({
  Type: z.string(),
  Properties: ANY_MAP.default({}),
  DependsOn: z.union([z.string().transform((name) => [name]), z.array(z.string())]).default([]),
  Condition: z.string().optional(),
  Metadata: ANY_MAP.optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
export type Resource = z.infer<typeof RESOURCE>;

const OUTPUT = z.strictObject({
  Value: z.unknown(),
  Description: z.string().optional(),
  Condition: z.string().optional(),
  Export: z.strictObject({ Name: z.unknown() }).optional(),
});

const RULE = z.strictObject({
  RuleCondition: z.unknown().optional(),
  Assertions: z.array(z.strictObject({ Assert: z.unknown(), AssertDescription: z.string().optional() })),
});

export const TEMPLATE = z.strictObject({
  AWSTemplateFormatVersion: z.literal('2010-09-09').optional(),
  Description: z.string().optional(),
  Metadata: ANY_MAP.optional(),
  Parameters: z.record(z.string(), PARAMETER).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), ANY_MAP)).default({}),
  Conditions: ANY_MAP.default({}),
  Rules: z.record(z.string(), RULE).default({}),
  Resources: z.record(z.string(), RESOURCE),
  Outputs: z.record(z.string(), OUTPUT).default({}),
});
export type Template = z.infer<typeof TEMPLATE>;
