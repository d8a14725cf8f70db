import * as z from 'zod/mini';
import { ENV, INSTANCE_ID, SLOT } from '../contracts';

/** Every instance of the cluster that the inventory or the tags know and that is not terminated and forgotten. */
export const Input = z.strictObject({});
export const Output = z.strictObject({ servers: z.array(z.strictObject({ slot: SLOT, instanceId: INSTANCE_ID })) });
export const Env = z.object({ ...ENV });
export const errors = [] as const;
