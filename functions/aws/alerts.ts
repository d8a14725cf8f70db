/**
 * The items `alert/<incident>`: what people were told, so that they are told once. And the item `alerts`: when everything
 * was last well, because whatever comes after that is news again.
 */
import * as z from 'zod/mini';
import { absent, below, both, either, equals } from './expression';
import type { Store } from './table';

const STATE = 'alerts';
const STATE_ITEM = z.object({ resolvedAt: z.optional(z.number()) });
const DAY_MS = 86_400_000;

const itemOf = (incident: string) => `alert/${incident}`;

/** One event that is to become a message. */
export interface Occasion {
  incident: string;
  /** EventBridge's id: an event that is handled again, because the first attempt failed, is the same occasion. */
  eventId: string;
  /** When it happened, epoch ms. */
  at: number;
}

export class Alerts {
  constructor(private readonly table: Store) {}

  /**
   * Claims the incident for this occasion. False: people were told, within a day and since everything was last well.
   * The item expires by DynamoDB's TTL; nothing depends on when.
   */
  async claim({ incident, eventId, at }: Occasion): Promise<boolean> {
    const state = await this.table.read(STATE, STATE_ITEM);
    const resolvedAt = state?.resolvedAt ?? 0;
    // An event that was overtaken by the resolution opens nothing again.
    const stale = Math.max(resolvedAt < at ? resolvedAt : 0, at - DAY_MS);
    return this.table.change(itemOf(incident), {
      set: [
        ['event', eventId],
        ['at', at],
        ['expiresAt', Math.ceil((at + 2 * DAY_MS) / 1000)],
      ],
      remove: ['delivered'],
      when: [either(absent('event'), below('at', stale), both(equals('event', eventId), absent('delivered')))],
    });
  }

  /** The message is out: the occasion is over. */
  async delivered({ incident, eventId }: Occasion): Promise<void> {
    await this.table.change(itemOf(incident), { set: [['delivered', true]], when: [equals('event', eventId)] });
  }

  /** The message could not be sent: whoever comes next may try. */
  async unclaim({ incident, eventId }: Occasion): Promise<void> {
    await this.table.change(itemOf(incident), { remove: ['event', 'at'], when: [equals('event', eventId)] });
  }

  /** Everything was well at this time, epoch ms. */
  async resolve(at: number): Promise<void> {
    await this.table.change(STATE, {
      set: [['resolvedAt', at]],
      when: [either(absent('resolvedAt'), below('resolvedAt', at))],
    });
  }
}
