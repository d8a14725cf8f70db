import * as z from 'zod/mini';
import { ENV, EXECUTION } from '../contracts';

/** The whole execution input of the cluster workflow. `origin` is set by the healer; a person leaves it out. */
export const ClusterInput = z.strictObject({
  reason: z.optional(z.string().check(z.maxLength(500))),
  origin: z.optional(z.enum(['person', 'healer'])),
});
/** The whole execution input of the delete workflow. */
export const DeleteInput = z.strictObject({
  confirm: z.string(),
  reason: z.optional(z.string().check(z.maxLength(500))),
});

export const Input = z.strictObject({
  workflow: z.enum(['cluster', 'delete']),
  execution: EXECUTION,
  /** The execution input as the caller gave it: validated here, so that a fault names the field. */
  input: z.unknown(),
});
export const Output = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('acquired'), reason: z.string(), origin: z.enum(['person', 'healer']) }),
  z.strictObject({ status: z.literal('held'), holder: z.string(), message: z.string() }),
  /** The holder runs no more: ask again after this time, and it will be taken over. */
  z.strictObject({ status: z.literal('stale'), holder: z.string(), recheckAfterSeconds: z.int(), message: z.string() }),
  /** The healer may not act: absent, uninitialised or paused. */
  z.strictObject({ status: z.literal('declined'), message: z.string() }),
]);
export const Env = z.object({ ...ENV });
export const errors = ['InvalidInput'] as const;
