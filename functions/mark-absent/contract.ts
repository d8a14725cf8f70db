import * as z from 'zod/mini';
import { ENV, EXECUTION } from '../contracts';

/** Sets `desired=absent`: from here on nothing heals or creates servers. */
export const Input = z.strictObject({ execution: EXECUTION });
export const Output = z.strictObject({});
export const Env = z.object({ ...ENV });
export const errors = ['LeaseLost'] as const;
