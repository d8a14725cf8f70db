import * as z from 'zod/mini';
import { Concern, ServerSummary } from '../assess-cluster/contract';
import { ENV, EXECUTION } from '../contracts';

const TIME = z.nullable(z.number());

/** How an execution of the cluster workflow ends: told before it lets go of the lease. */
export const Input = z.strictObject({
  execution: EXECUTION,
  outcome: z.discriminatedUnion('status', [
    z.strictObject({
      status: z.literal('converged'),
      /** This execution changed something. */
      changed: z.boolean(),
      /** Who started it, and why. */
      origin: z.enum(['person', 'healer']),
      cause: z.string(),
      /** The verdict's sentence. */
      reason: z.string(),
      /** What deserves a look although all is well. */
      concern: z.nullable(Concern),
      /** When this execution's instances ran, and when they had joined, epoch ms; null when it launched none. */
      launchedAt: TIME,
      joinedAt: TIME,
      servers: z.array(ServerSummary),
    }),
    z.strictObject({
      status: z.literal('failed'),
      changed: z.boolean(),
      /** The stage that failed, the error's name and its message. */
      stage: z.string(),
      error: z.string(),
      cause: z.string(),
      /** What stood in the way when the cluster was last assessed. */
      concern: z.nullable(Concern),
    }),
  ]),
});
/** The detail-types that were published, in order. */
export const Output = z.strictObject({ published: z.array(z.string()) });
export const Env = z.object({ ...ENV });
export const errors = [] as const;
