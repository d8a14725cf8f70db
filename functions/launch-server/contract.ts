import * as z from 'zod/mini';
import { ENV, ENV_LIST, EXECUTION, GENERATION, INSTANCE_ID, SLOT } from '../contracts';

export const Input = z.strictObject({
  execution: EXECUTION,
  slot: SLOT,
  /** The newest generation that the plan knew of, 0 for none: a newer one in the inventory is what is asked for. */
  after: GENERATION,
});
export const Output = z.strictObject({
  slot: SLOT,
  instanceId: INSTANCE_ID,
  generation: GENERATION,
  instanceType: z.string(),
});
export const Env = z.object({
  ...ENV,
  /** Subnet of slot i is element i modulo their number: one per zone. */
  SUBNETS: ENV_LIST,
  LAUNCH_TEMPLATE: z.string(),
  LAUNCH_TEMPLATE_VERSION: z.string(),
  /** Tried in order; the next only after an explicit capacity or unsupported error. */
  INSTANCE_TYPES: ENV_LIST,
});
export const errors = ['LeaseLost', 'CapacityUnavailable', 'LaunchRefused'] as const;
