/** What a project may be here: a container with Docker that builds what S3 holds. */
import { z } from 'zod';
import { BOOLEAN, INTEGER } from '../scalars';

const VARIABLE = z.strictObject({
  Name: z.string().regex(/^[A-Za-z_]\w*$/),
  Value: z.string(),
  Type: z.literal('PLAINTEXT').default('PLAINTEXT'),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-project.html */
export const PROJECT = z.strictObject({
  Name: z
    .string()
    .regex(/^[A-Za-z0-9][\w-]{1,254}$/)
    .optional(),
  Description: z.string().max(255).optional(),
  Artifacts: z.strictObject({ Type: z.literal('NO_ARTIFACTS') }),
  Environment: z.strictObject({
    Type: z.enum(['LINUX_CONTAINER', 'ARM_CONTAINER']),
    ComputeType: z.enum(['BUILD_GENERAL1_SMALL', 'BUILD_GENERAL1_MEDIUM', 'BUILD_GENERAL1_LARGE']),
    Image: z.string(),
    PrivilegedMode: BOOLEAN.default(false),
    EnvironmentVariables: z.array(VARIABLE).default([]),
  }),
  LogsConfig: z.strictObject({
    CloudWatchLogs: z.strictObject({ Status: z.literal('ENABLED'), GroupName: z.string().min(1) }),
  }),
  QueuedTimeoutInMinutes: INTEGER.pipe(z.int().min(5).max(480)).default(480),
  ServiceRole: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/),
  Source: z.strictObject({
    Type: z.literal('S3'),
    /** `<bucket>/<key>` of a zip file. */
    Location: z.string().regex(/^[^/]+\/.+\.zip$/),
    BuildSpec: z.string().min(1),
  }),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
  TimeoutInMinutes: INTEGER.pipe(z.int().min(5).max(2160)).default(60),
});
export type Project = z.infer<typeof PROJECT> & { Name: string };

/** Phases before `build` and after it are not modelled. https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html */
export const BUILDSPEC = z.strictObject({
  version: z.literal('0.2'),
  phases: z.strictObject({ build: z.strictObject({ commands: z.array(z.string()).min(1) }) }),
});
