import * as z from 'zod/mini';
import { ENV, ENV_SERVERS, ENV_TARGET_GROUPS } from '../contracts';

/** Any event of EventBridge: see events/. Whoever delivers it does not wait for the answer. */
export const Input = z.unknown();
export const Output = z.strictObject({
  /** `none`: there is nothing to do. `start`: an execution of the cluster workflow. `defer`: healing is paused, people are told. */
  decision: z.enum(['none', 'start', 'defer']),
  reason: z.string(),
  /** ARN of the execution that was started. */
  execution: z.nullable(z.string()),
});
export const Env = z.object({
  ...ENV,
  SERVERS: ENV_SERVERS,
  TARGET_GROUPS: ENV_TARGET_GROUPS,
  /** ARN of the cluster workflow. */
  STATE_MACHINE: z.string().check(z.minLength(1)),
});
/** MalformedEvent: not retried, the schedule looks again within a minute. It shows in the function's error metric. */
export const errors = ['MalformedEvent'] as const;
