/** Sends one message per incident. */
import type * as z from 'zod/mini';
import type { Alerts } from '../aws/alerts';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Topic } from '../aws/topic';
import type { Logger } from '../runtime/log';
import type { Output } from './contract';
import { bodyOf, type Place, subjectOf } from './message';
import { readEvent } from './read-event';

export interface Deps extends Place {
  alerts: Pick<Alerts, 'claim' | 'delivered' | 'unclaim' | 'resolve'>;
  records: Pick<ClusterRecords, 'read'>;
  topic: Pick<Topic, 'publish'>;
}

/** @throws MalformedEvent, or what SNS answered: then the event is delivered again, and the message with it */
export async function notify(payload: unknown, deps: Deps, log: Logger): Promise<z.infer<typeof Output>> {
  const { alerts, topic, records } = deps;
  const { eventId, alert } = readEvent(payload);
  if (!alert) return { sent: false, what: 'nobody needs to be told' };
  const { incident, at, resolves } = alert;
  const occasion = { incident, eventId, at };
  const subject = subjectOf(alert, deps);
  if (!(await alerts.claim(occasion))) {
    log.info('alert was sent before', { incident, subject });
    return { sent: false, what: `${incident} was told before` };
  }
  try {
    const paused = alert.paused ?? (await records.read())?.paused ?? false;
    log.info('sending alert', { incident, subject });
    await topic.publish(subject, bodyOf(alert, deps, paused));
  } catch (error) {
    await alerts.unclaim(occasion);
    throw error;
  }
  await alerts.delivered(occasion);
  if (resolves) await alerts.resolve(at);
  log.info('sent alert', { incident, subject });
  return { sent: true, what: subject };
}
