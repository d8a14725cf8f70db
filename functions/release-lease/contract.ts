import * as z from 'zod/mini';
import { ENV, EXECUTION } from '../contracts';

export const Input = z.strictObject({ execution: EXECUTION });
/** `released` is false when the lease was not ours any more: harmless, another execution holds it. */
export const Output = z.strictObject({ released: z.boolean() });
export const Env = z.object({ ...ENV });
/** CommandInFlight: a command of ours still runs on a node and has just been cancelled; ask again. */
export const errors = ['CommandInFlight'] as const;
