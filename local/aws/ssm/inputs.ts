/** Input schemas of the operations. */
import { z } from 'zod';

const INSTANCE_ID = z.string().regex(/^(i|mi)-(\w{8}|\w{17})$/);
const COMMAND_ID = z.string().length(36);
const page = (max: number, min = 1) => ({
  MaxResults: z.int().min(min).max(max).optional(),
  NextToken: z.string().optional(),
});
const keyedValues = z.strictObject({ Key: z.string(), Values: z.array(z.string()).min(1) });

export const SEND_COMMAND = z.strictObject({
  DocumentName: z.string(),
  DocumentVersion: z.string().optional(),
  InstanceIds: z.array(INSTANCE_ID).max(50).default([]),
  Targets: z
    .array(z.strictObject({ Key: z.literal('InstanceIds'), Values: z.array(INSTANCE_ID).min(1).max(50) }))
    .max(1)
    .default([]),
  Parameters: z.record(z.string(), z.array(z.string())).default({}),
  /** For delivery; the document says how long its steps may run. */
  TimeoutSeconds: z.int().min(30).max(2_592_000).default(3600),
  Comment: z.string().max(100).default(''),
});

export const GET_COMMAND_INVOCATION = z.strictObject({
  CommandId: COMMAND_ID,
  InstanceId: INSTANCE_ID,
  PluginName: z.string().min(4).optional(),
});

export const CANCEL_COMMAND = z.strictObject({
  CommandId: COMMAND_ID,
  InstanceIds: z.array(INSTANCE_ID).max(50).default([]),
});

const COMMAND_FILTERS = z
  .array(
    z.strictObject({
      key: z.enum(['InvokedAfter', 'InvokedBefore', 'Status', 'DocumentName', 'ExecutionStage']),
      value: z.string().min(1),
    }),
  )
  .max(5)
  .default([]);
export type CommandFilters = z.infer<typeof COMMAND_FILTERS>;

export const LIST_COMMANDS = z.strictObject({
  CommandId: COMMAND_ID.optional(),
  InstanceId: INSTANCE_ID.optional(),
  Filters: COMMAND_FILTERS,
  ...page(50),
});

export const LIST_COMMAND_INVOCATIONS = LIST_COMMANDS.extend({ Details: z.boolean().default(false) });

export const DESCRIBE_INSTANCE_INFORMATION = z.strictObject({
  Filters: z.array(keyedValues).max(10).default([]),
  ...page(50, 5),
});

export const DOCUMENT = z.strictObject({
  Name: z.string(),
  DocumentVersion: z.string().optional(),
});
export const GET_DOCUMENT = DOCUMENT.extend({ DocumentFormat: z.enum(['JSON', 'YAML']).optional() });

export const LIST_DOCUMENTS = z.strictObject({ Filters: z.array(keyedValues).max(5).default([]), ...page(50) });
