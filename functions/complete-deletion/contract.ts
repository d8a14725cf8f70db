import * as z from 'zod/mini';
import { ENV, ENV_TARGET_GROUPS, EXECUTION } from '../contracts';

/** Looks for leftovers by inventory, tag and target; without any, resets the record so that a creation works at once. */
export const Input = z.strictObject({ execution: EXECUTION });
export const Output = z.strictObject({ deleted: z.literal(true) });
export const Env = z.object({ ...ENV, TARGET_GROUPS: ENV_TARGET_GROUPS });
/** LeftoversFound: the cause lists each of them. */
export const errors = ['LeaseLost', 'LeftoversFound'] as const;
