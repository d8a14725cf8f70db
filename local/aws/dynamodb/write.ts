/** The four kinds of write, each planned first and committed by the caller: alone or with others in a transaction. */
import type { Item } from './attribute-value';
import { itemSize, parseItem } from './attribute-value';
import { writeUnits } from './capacity';
import { conditionFailed, invalid, invalidParameter } from './errors';
import { parseExpressions } from './expression';
import type { Condition, DocumentPath } from './expression/ast';
import { holds } from './expression/evaluate';
import { applyUpdate } from './expression/update';
import type { Delete, Put, Update } from './inputs';
import type { Table } from './table';

/** Source: DynamoDB quotas, 400 KB with names and values. */
const MAX_ITEM_BYTES = 400 * 1024;

export interface Plan {
  table: Table;
  identity: string;
  before: Item | undefined;
  after: Item | undefined;
  /** What an update touched, for `UPDATED_*`. */
  touched: DocumentPath[];
}

/** A write whose request is valid; `plan` then compares it with the stored item. */
export interface Write {
  table: Table;
  identity: string;
  /** Throws ConditionalCheckFailedException, or ValidationException when the item does not fit the expression. */
  plan(): Plan;
}

export function putWrite(input: Put, table: Table): Write {
  const { condition } = parseExpressions(input);
  const item = parseItem(input.Item);
  const identity = table.identifyItem(item);
  if (itemSize(item) > MAX_ITEM_BYTES) throw invalid('Item size has exceeded the maximum allowed size');
  return write(table, identity, input, condition, () => ({ after: item }));
}

export function updateWrite(input: Update, table: Table): Write {
  const { condition, update = [] } = parseExpressions(input);
  const key = parseItem(input.Key);
  const identity = table.identify(key);
  const protectedKey = table.keys.find(({ name }) => update.some(({ path }) => path[0] === name));
  if (protectedKey) {
    throw invalidParameter(`Cannot update attribute ${protectedKey.name}. This attribute is part of the key`);
  }
  return write(table, identity, input, condition, (before) => {
    const after = applyUpdate(update, before ?? key);
    if (itemSize(after) > MAX_ITEM_BYTES) {
      throw invalid('Item size to update has exceeded the maximum allowed size');
    }
    return { after, touched: update.map(({ path }) => path) };
  });
}

export function deleteWrite(input: Delete, table: Table): Write {
  const { condition } = parseExpressions(input);
  return write(table, table.identify(parseItem(input.Key)), input, condition, () => ({ after: undefined }));
}

/** A transaction's ConditionCheck changes nothing. */
export function conditionCheck(input: Delete, table: Table): Write {
  const { condition } = parseExpressions(input);
  return write(table, table.identify(parseItem(input.Key)), input, condition, (before) => ({ after: before }));
}

function write(
  table: Table,
  identity: string,
  input: { ReturnValuesOnConditionCheckFailure?: 'NONE' | 'ALL_OLD' | undefined },
  condition: Condition | undefined,
  change: (before: Item | undefined) => { after: Item | undefined; touched?: DocumentPath[] },
): Write {
  return {
    table,
    identity,
    plan: () => {
      const before = table.read(identity, true);
      if (condition && !holds(condition, before ?? {})) {
        table.consumed.write += writeUnits(before);
        throw conditionFailed(input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? before : undefined);
      }
      return { table, identity, before, touched: [], ...change(before) };
    },
  };
}

/** @param times how often each unit counts: twice in a transaction */
export function commit({ table, identity, before, after }: Plan, times = 1): void {
  table.consumed.write += times * writeUnits(before, after);
  table.write(identity, after);
}
