import * as z from 'zod/mini';
import { ENV, EXECUTION, INSTANCE_ID } from '../contracts';

/** Latches the cluster to `initialising` with one of these, in order of preference, before K3s starts on it (safety rule 12). */
export const Input = z.strictObject({ execution: EXECUTION, candidates: z.array(INSTANCE_ID).check(z.minLength(1)) });
export const Output = z.strictObject({ instanceId: INSTANCE_ID });
export const Env = z.object({ ...ENV, K3S_VERSION: z.string() });
/** AgentOffline: none of them takes commands yet; ask again. */
export const errors = ['LeaseLost', 'AgentOffline', 'LatchRefused'] as const;
