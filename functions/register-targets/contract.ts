import * as z from 'zod/mini';
import { ENV, ENV_TARGET_GROUPS, EXECUTION, INSTANCE_ID } from '../contracts';

export const Input = z.strictObject({ execution: EXECUTION, instanceId: INSTANCE_ID });
export const Output = z.strictObject({ instanceId: INSTANCE_ID, targetGroups: z.int() });
export const Env = z.object({ ...ENV, TARGET_GROUPS: ENV_TARGET_GROUPS });
export const errors = ['LeaseLost', 'ServerLost'] as const;
