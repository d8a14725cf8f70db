import * as z from 'zod/mini';
import { RETIREMENT_KINDS } from '../cluster/judgement';
import { ENV, EXECUTION, INSTANCE_ID, SLOT } from '../contracts';

/** Takes a terminated instance out of the inventory: the last step of a retirement, or of its deletion. */
export const Input = z.strictObject({
  execution: EXECUTION,
  slot: SLOT,
  instanceId: INSTANCE_ID,
  /** Why it left: replacements and failures to join are counted (safety rule 8). */
  kind: z.enum([...RETIREMENT_KINDS, 'deleted']),
});
export const Output = z.strictObject({});
export const Env = z.object({ ...ENV });
export const errors = ['LeaseLost'] as const;
