import * as z from 'zod/mini';
import { ENV, ENV_SERVERS, ENV_TARGET_GROUPS, EXECUTION, INSTANCE_ID, SLOT } from '../contracts';

export const Input = z.strictObject({
  execution: EXECUTION,
  slot: SLOT,
  instanceId: INSTANCE_ID,
  /** `retire` observes afresh and refuses when the majority would be at risk; `delete` requires `desired=absent`. */
  purpose: z.enum(['retire', 'delete']),
  reason: z.string(),
});
export const Output = z.strictObject({ instanceId: INSTANCE_ID });
export const Env = z.object({
  ...ENV,
  SERVERS: ENV_SERVERS,
  TARGET_GROUPS: ENV_TARGET_GROUPS,
  DOCUMENT_PREFIX: z.string(),
  K3S_VERSION: z.string(),
});
export const errors = ['LeaseLost', 'RetirementRefused'] as const;
