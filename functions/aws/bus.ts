/** EventBridge: tells the world what the cluster does. */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { type ClusterEvent, SOURCE } from '../events';
import { type ClientSettings, clientSettings } from './client';
import { attempt, Unavailable } from './errors';

/** Entries of one request. Source: EventBridge, PutEvents. */
const BATCH = 10;

export class Bus {
  private readonly client: EventBridgeClient;

  constructor(settings: ClientSettings) {
    this.client = new EventBridgeClient(clientSettings(settings));
  }

  /**
   * Puts events on the account's default bus, in this order; delivery knows none.
   * @throws Unavailable: some were not taken. Publish all of them again: a repetition is recognised by its incident.
   */
  async publish(events: readonly ClusterEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += BATCH) {
      const batch = events.slice(from, from + BATCH);
      const { FailedEntryCount = 0, Entries = [] } = await attempt('PutEvents', () =>
        this.client.send(
          new PutEventsCommand({
            Entries: batch.map(({ detailType, detail }) => ({
              Source: SOURCE,
              DetailType: detailType,
              Detail: JSON.stringify(detail),
              Time: new Date(detail.at),
            })),
          }),
        ),
      );
      if (FailedEntryCount === 0) continue;
      const failed = Entries.find(({ ErrorCode }) => ErrorCode !== undefined);
      const why = `${failed?.ErrorCode}: ${failed?.ErrorMessage}`;
      throw new Unavailable(`EventBridge did not take ${FailedEntryCount} of ${batch.length} events: ${why}`);
    }
  }
}
