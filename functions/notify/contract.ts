import * as z from 'zod/mini';
import { ENV } from '../contracts';

/** An event of ours (functions/events.ts), of Step Functions, or of one of our alarms, in EventBridge's envelope. */
export const Input = z.unknown();
export const Output = z.strictObject({
  /** A message went out. */
  sent: z.boolean(),
  /** Its subject, or why there is none. */
  what: z.string(),
});
export const Env = z.object({
  ...ENV,
  /** ARN of the topic that people subscribe to. */
  TOPIC: z.string().check(z.minLength(1)),
  /** ARN of the cluster workflow: where links lead when no execution is known. */
  STATE_MACHINE: z.string().check(z.startsWith('arn:')),
});
/** MalformedEvent: the message names the field. After any error Lambda delivers the event again. */
export const errors = ['MalformedEvent'] as const;
