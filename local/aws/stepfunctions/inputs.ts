/** The parameters of the operations. https://docs.aws.amazon.com/step-functions/latest/apireference/ */
import { z } from 'zod';
import { PAYLOAD_LIMIT } from '../../states-language';

const ARN = z.string().min(1).max(256);
const DATA = z
  .string()
  .refine(
    (text) => Buffer.byteLength(text) <= PAYLOAD_LIMIT,
    `Member must have length less than or equal to ${PAYLOAD_LIMIT}`,
  );
const TASK_TOKEN = z.string().min(1).max(2048);
const FAILURE = { error: z.string().max(256).optional(), cause: z.string().max(32_768).optional() };
const INCLUDED = z.enum(['ALL_DATA', 'METADATA_ONLY']).default('ALL_DATA');
/** 0 means the default of 100. */
const PAGE = {
  maxResults: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .transform((size) => size || 100),
  nextToken: z.string().min(1).max(1024).optional(),
};

export const STATUS = z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']);

export const LIST_STATE_MACHINES = z.strictObject(PAGE);
export const DESCRIBE_STATE_MACHINE = z.strictObject({ stateMachineArn: ARN, includedData: INCLUDED });
export const START_EXECUTION = z.strictObject({
  stateMachineArn: ARN,
  name: z.string().min(1).max(80, 'Member must have length less than or equal to 80').optional(),
  input: DATA.default('{}'),
});
export const STOP_EXECUTION = z.strictObject({ executionArn: ARN, ...FAILURE });
export const DESCRIBE_EXECUTION = z.strictObject({ executionArn: ARN, includedData: INCLUDED });
export const LIST_EXECUTIONS = z.strictObject({ stateMachineArn: ARN, statusFilter: STATUS.optional(), ...PAGE });
export const GET_EXECUTION_HISTORY = z.strictObject({
  executionArn: ARN,
  reverseOrder: z.boolean().default(false),
  includeExecutionData: z.boolean().default(true),
  ...PAGE,
});
export const SEND_TASK_SUCCESS = z.strictObject({ taskToken: TASK_TOKEN, output: DATA });
export const SEND_TASK_FAILURE = z.strictObject({ taskToken: TASK_TOKEN, ...FAILURE });
export const SEND_TASK_HEARTBEAT = z.strictObject({ taskToken: TASK_TOKEN });
