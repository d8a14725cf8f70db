import * as z from 'zod/mini';
import { ENV, EXECUTION, INSTANCE_ID } from '../contracts';

/** Latches the cluster to `initialising` with this instance, before K3s may start on it (safety rule 12). */
export const Input = z.strictObject({ execution: EXECUTION, instanceId: INSTANCE_ID });
export const Output = z.strictObject({});
export const Env = z.object({ ...ENV, K3S_VERSION: z.string() });
export const errors = ['LeaseLost', 'LatchRefused'] as const;
