/** The cluster's table: strongly consistent reads and conditional writes of single items, and nothing else. */
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type * as z from 'zod/mini';
import { parse } from '../runtime/parse';
import { unmarshalAll } from './attributes';
import { type ClientSettings, clientSettings } from './client';
import { attempt, isConditionFailed } from './errors';
import { type Change, Expression } from './expression';

/** An item that nobody who follows the contract can have written. */
export class MalformedItem extends Error {
  override readonly name = 'MalformedItem';
}

export class Table {
  private readonly client: DynamoDBClient;

  constructor(
    settings: ClientSettings,
    private readonly name: string,
  ) {
    this.client = new DynamoDBClient(clientSettings(settings));
  }

  /**
   * Reads one item as it is now, not as it was a moment ago; null when there is none.
   * @throws MalformedItem, naming the fields
   */
  async read<T>(id: string, schema: z.ZodMiniType<T>): Promise<T | null> {
    const { Item } = await attempt('GetItem', () =>
      this.client.send(new GetItemCommand({ TableName: this.name, Key: { id: { S: id } }, ConsistentRead: true })),
    );
    if (!Item) return null;
    const parsed = parse(schema, unmarshalAll(Item), 'item');
    if ('faults' in parsed) throw new MalformedItem(`item ${id} of the table: ${parsed.faults.join('; ')}`);
    return parsed.value;
  }

  /**
   * Changes one item, creating it when there is none. False: a condition did not hold. After a broken connection the SDK
   * sends the request again, so false can also mean that the first one took effect: read before concluding anything.
   */
  async change(id: string, change: Change): Promise<boolean> {
    try {
      await attempt('UpdateItem', () =>
        this.client.send(
          new UpdateItemCommand({ TableName: this.name, Key: { id: { S: id } }, ...new Expression().update(change) }),
        ),
      );
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }
}
