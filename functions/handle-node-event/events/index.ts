/** Every type of event that is understood, one file each. */
import { alarmStateChange } from './alarm-state-change';
import { checked, ENVELOPE, type Hint } from './event';
import { health } from './health';
import { instanceStateChange } from './instance-state-change';
import { schedule } from './schedule';
import { spotInterruption } from './spot-interruption';

export type { Hint } from './event';

const PARSERS = [instanceStateChange, spotInterruption, alarmStateChange, health, schedule];

/**
 * What an event hints at; a sentence when nobody here understands its type.
 * @throws MalformedEvent, naming the fields: an event of a known type that is not what AWS documents, or no event at all
 */
export function readEvent(payload: unknown): Hint | string {
  const event = checked(ENVELOPE, payload, 'event', 'event');
  const parser = PARSERS.find(
    ({ source, detailType }) => source === event.source && detailType === event['detail-type'],
  );
  return parser?.read(event) ?? `nothing is known of "${event['detail-type']}" from ${event.source}`;
}
