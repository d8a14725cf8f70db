/** The cluster's table: strongly consistent reads and conditional writes of single items, and nothing else. */
import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
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

/** Where items are read and changed. */
export type Store = Pick<Table, 'read' | 'change'>;

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
    return Item ? parseItem(id, schema, Item) : null;
  }

  /**
   * The whole table as it is now, in one call: it is small, and the minute check must cost little. Reads of the result
   * answer from memory, changes go to the table.
   */
  async snapshot(): Promise<Store> {
    const items = new Map<string, Record<string, AttributeValue>>();
    let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
    do {
      const page = await attempt('Scan', () =>
        this.client.send(new ScanCommand({ TableName: this.name, ConsistentRead: true, ExclusiveStartKey })),
      );
      for (const item of page.Items ?? []) items.set(item.id?.S ?? '', item);
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return {
      read: async (id, schema) => {
        const item = items.get(id);
        return item ? parseItem(id, schema, item) : null;
      },
      change: (id, change) => this.change(id, change),
    };
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

function parseItem<T>(id: string, schema: z.ZodMiniType<T>, item: Record<string, AttributeValue>): T {
  const parsed = parse(schema, unmarshalAll(item), 'item');
  if ('faults' in parsed) throw new MalformedItem(`item ${id} of the table: ${parsed.faults.join('; ')}`);
  return parsed.value;
}
