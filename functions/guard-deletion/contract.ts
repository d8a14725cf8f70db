import * as z from 'zod/mini';
import { ENV } from '../contracts';

/** A CloudFormation custom resource: its deletion fails while instances of the cluster exist. */
export const Input = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.optional(z.string()),
});
export const Output = z.strictObject({ status: z.enum(['SUCCESS', 'FAILED']) });
export const Env = z.object({ ...ENV });
export const errors = [] as const;
