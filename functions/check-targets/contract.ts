import * as z from 'zod/mini';
import { ENV, ENV_SERVERS, ENV_TARGET_GROUPS } from '../contracts';

export const Input = z.strictObject({});
export const Output = z.strictObject({ healthy: z.strictObject({ http: z.int(), https: z.int(), api: z.int() }) });
export const Env = z.object({ ...ENV, SERVERS: ENV_SERVERS, TARGET_GROUPS: ENV_TARGET_GROUPS });
/** TargetsNotHealthy: some server does not receive traffic yet; ask again. */
export const errors = ['TargetsNotHealthy'] as const;
