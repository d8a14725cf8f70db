/** From an event in EventBridge's envelope to what people are told of it. */
import * as z from 'zod/mini';
import { EVENT, SOURCE } from '../events';
import { MalformedEvent } from '../runtime/errors';
import { parse } from '../runtime/parse';
import type { Alert } from './alert';
import { ALARM_EVENT, alarmAlert, EXECUTION_EVENT, executionAlert } from './aws-event';
import { alertOf } from './own-event';

const ENVELOPE = z.object({
  id: z.string(),
  source: z.string(),
  time: z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)), 'must be a date')),
});

/**
 * Null alert: nobody needs to be told.
 * @throws MalformedEvent, naming the fields
 */
export function readEvent(payload: unknown): { eventId: string; alert: Alert | null } {
  const { id: eventId, source, time } = checked(ENVELOPE, payload);
  const at = Date.parse(time);
  switch (source) {
    case SOURCE:
      return { eventId, alert: alertOf(checked(EVENT, payload)) };
    case 'aws.states':
      return { eventId, alert: executionAlert(checked(EXECUTION_EVENT, payload), at) };
    case 'aws.cloudwatch':
      return { eventId, alert: alarmAlert(checked(ALARM_EVENT, payload), at) };
    default:
      return { eventId, alert: null };
  }
}

function checked<T>(schema: z.ZodMiniType<T>, payload: unknown): T {
  const parsed = parse(schema, payload, 'event');
  if ('faults' in parsed) throw new MalformedEvent(`event: ${parsed.faults.join('; ')}`);
  return parsed.value;
}
