import * as z from 'zod/mini';
import { parser } from './event';

/**
 * Once a minute, because every other event may be lost (safety rule 9). Its detail is empty.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export const schedule = parser('aws.events', 'Scheduled Event', z.object({}), () => ({
  what: 'the schedule',
  instanceIds: [],
  routine: true,
}));
