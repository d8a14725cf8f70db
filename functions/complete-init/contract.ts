import * as z from 'zod/mini';
import { CA_HASH, ENV, EXECUTION, INSTANCE_ID } from '../contracts';

/** Latches the cluster to `initialised`: final until it is deleted. */
export const Input = z.strictObject({
  execution: EXECUTION,
  instanceId: INSTANCE_ID,
  caHash: CA_HASH,
  k3sVersion: z.string(),
});
export const Output = z.strictObject({});
export const Env = z.object({ ...ENV });
export const errors = ['LeaseLost', 'LatchRefused'] as const;
