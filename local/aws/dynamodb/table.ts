/** One table: its key schema, its items, and how stale an eventually consistent read may be. */
import type { Clock } from '../../clock';
import { type AttributeType, type AttributeValue, type Item, typeOf } from './attribute-value';
import type { Consumed } from './capacity';
import { invalid, invalidParameter, keyMismatch } from './errors';

export interface KeyAttribute {
  name: string;
  type: 'S' | 'N' | 'B';
}

export interface TableDefinition {
  name: string;
  arn: string;
  id: string;
  partitionKey: KeyAttribute;
  sortKey?: KeyAttribute;
  createdAt: number;
}

/** A replaced value, still visible to lagging readers. */
interface Past {
  item: Item | undefined;
  replacedAt: number;
}

/** Key size limits in bytes. Source: DynamoDB quotas. */
const KEY_LIMITS = { partition: 2048, sort: 1024 };

export class Table {
  readonly consumed: Consumed = { read: 0, write: 0 };
  private readonly items = new Map<string, Item>();
  private readonly past = new Map<string, Past[]>();
  private lagMs = 0;

  constructor(
    readonly definition: TableDefinition,
    private readonly clock: Clock,
  ) {}

  get keys(): KeyAttribute[] {
    const { partitionKey, sortKey } = this.definition;
    return sortKey ? [partitionKey, sortKey] : [partitionKey];
  }

  get size(): number {
    return this.items.size;
  }

  /** From now on eventually consistent reads see the table as it was `ms` ago; 0 ends it. */
  lag(ms: number): void {
    this.lagMs = ms;
    if (ms === 0) this.past.clear();
  }

  /** Checks a `Key` parameter: exactly the key attributes, of the right types. Returns the item's identity. */
  identify(key: Item): string {
    if (Object.keys(key).length !== this.keys.length) throw keyMismatch();
    for (const { name, type } of this.keys) {
      const value = key[name];
      if (!value || typeOf(value) !== type) throw keyMismatch();
    }
    return this.identity(key);
  }

  /** Checks that a whole item carries valid key attributes. Returns its identity. */
  identifyItem(item: Item): string {
    for (const { name, type } of this.keys) {
      const value = item[name];
      if (!value) throw invalidParameter(`Missing the key ${name} in the item`);
      const actual: AttributeType = typeOf(value);
      if (actual !== type) {
        throw invalidParameter(`Type mismatch for key ${name} expected: ${type} actual: ${actual}`);
      }
    }
    return this.identity(item);
  }

  private identity(item: Item): string {
    return JSON.stringify(this.keys.map((key, index) => keyText(key.name, item[key.name]!, index === 0)));
  }

  keyOf(item: Item): Item {
    return Object.fromEntries(this.keys.map(({ name }) => [name, item[name]!]));
  }

  read(identity: string, consistent: boolean): Item | undefined {
    const item = consistent ? this.items.get(identity) : this.lagging(identity);
    return item && copyOf(item);
  }

  write(identity: string, item: Item | undefined): void {
    if (this.lagMs > 0) {
      const past = { item: this.items.get(identity), replacedAt: this.clock.now() };
      this.past.set(identity, [...(this.past.get(identity) ?? []), past]);
    }
    if (item) this.items.set(identity, copyOf(item));
    else this.items.delete(identity);
  }

  /** Every item, in the order of their identities: stable, and without meaning, like a scan's. */
  all(consistent: boolean): Item[] {
    return [...new Set([...this.items.keys(), ...this.past.keys()])].sort().flatMap((identity) => {
      const item = this.read(identity, consistent);
      return item ? [item] : [];
    });
  }

  private lagging(identity: string): Item | undefined {
    const horizon = this.clock.now() - this.lagMs;
    const visible = this.past.get(identity)?.find(({ replacedAt }) => replacedAt > horizon);
    return visible ? visible.item : this.items.get(identity);
  }
}

function keyText(name: string, value: AttributeValue, partition: boolean): string {
  const text = 'S' in value ? value.S : 'N' in value ? value.N : 'B' in value ? value.B : '';
  if (text === '') {
    throw invalid(
      'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an ' +
        `empty string value. Key: ${name}`,
    );
  }
  if (partition && Buffer.byteLength(text) > KEY_LIMITS.partition) {
    throw invalidParameter('Size of hashkey has exceeded the maximum size limit of2048 bytes');
  }
  if (!partition && Buffer.byteLength(text) > KEY_LIMITS.sort) {
    throw invalidParameter('Aggregated size of all range keys has exceeded the size limit of 1024 bytes');
  }
  return text;
}

/** Items are plain data: copied by hand in a tenth of the time that structuredClone takes. */
function copyOf<Value>(value: Value): Value;
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) copy[name] = copyOf(Reflect.get(value, name));
  return copy;
}
