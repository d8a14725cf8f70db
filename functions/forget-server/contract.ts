import * as z from 'zod/mini';
import { ENV, EXECUTION, INSTANCE_ID, SLOT } from '../contracts';

/** Takes a terminated instance out of the inventory: the last step of a retirement. */
export const Input = z.strictObject({ execution: EXECUTION, slot: SLOT, instanceId: INSTANCE_ID });
export const Output = z.strictObject({});
export const Env = z.object({ ...ENV });
export const errors = ['LeaseLost'] as const;
