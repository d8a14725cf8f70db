/** GetItem, Query and Scan. */
import { compare, type Item, itemSize, parseItem } from './attribute-value';
import { readUnits } from './capacity';
import { invalid } from './errors';
import { type Expressions, parseExpressions } from './expression';
import type { Condition, Operand } from './expression/ast';
import { holds } from './expression/evaluate';
import { project } from './expression/projection';
import type { GetItem, Query, Scan } from './inputs';
import type { Table } from './table';

/** A page of a query or scan. Source: DynamoDB quotas. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** @param times how often each unit counts: twice in a transaction */
export function getItem(input: GetItem, table: Table, times = 1): { Item?: Item } {
  const { projection } = parseExpressions(input);
  const consistent = input.ConsistentRead ?? false;
  const item = table.read(table.identify(parseItem(input.Key)), consistent);
  table.consumed.read += times * readUnits(item ? itemSize(item) : 0, consistent);
  if (!item) return {};
  return { Item: projection ? project(item, projection) : item };
}

export function scan(input: Scan, table: Table) {
  return page(input, table, parseExpressions(input), table.all(input.ConsistentRead ?? false));
}

export function query(input: Query, table: Table) {
  const expressions = parseExpressions(input);
  const keyCondition = expressions.keyCondition!;
  checkKeyCondition(keyCondition, table);
  const matching = table.all(input.ConsistentRead ?? false).filter((item) => holds(keyCondition, item));
  const sortKey = table.definition.sortKey?.name;
  if (sortKey) {
    const direction = input.ScanIndexForward === false ? -1 : 1;
    matching.sort((a, b) => direction * (compare(a[sortKey]!, b[sortKey]!) ?? 0));
  }
  return page(input, table, expressions, matching);
}

/** The limit counts what is evaluated, before the filter; the last evaluated key is the next page's start. */
function page(input: Scan, table: Table, { filter, projection }: Expressions, candidates: Item[]) {
  const start = input.ExclusiveStartKey && table.identify(parseItem(input.ExclusiveStartKey));
  const from = start ? candidates.findIndex((item) => table.identifyItem(item) === start) + 1 : 0;
  const evaluated: Item[] = [];
  let bytes = 0;
  for (const item of candidates.slice(from)) {
    if (evaluated.length === input.Limit || bytes >= MAX_PAGE_BYTES) break;
    evaluated.push(item);
    bytes += itemSize(item);
  }
  table.consumed.read += readUnits(bytes, input.ConsistentRead ?? false);
  const kept = filter ? evaluated.filter((item) => holds(filter, item)) : evaluated;
  const more = from + evaluated.length < candidates.length || evaluated.length === input.Limit;
  const last = evaluated.at(-1);
  return {
    ...(input.Select === 'COUNT' ? {} : { Items: projection ? kept.map((item) => project(item, projection)) : kept }),
    Count: kept.length,
    ScannedCount: evaluated.length,
    ...(more && last ? { LastEvaluatedKey: table.keyOf(last) } : {}),
  };
}

/** `partition = :v [AND one condition on the sort key]`, nothing else. */
function checkKeyCondition(condition: Condition, table: Table): void {
  const parts = condition.kind === 'and' ? [condition.left, condition.right] : [condition];
  const seen = new Set<string>();
  for (const part of parts) {
    const { name, operator } = keyPart(part);
    if (seen.has(name)) throw invalid('KeyConditionExpressions must only contain one condition per key');
    seen.add(name);
    const isPartition = name === table.definition.partitionKey.name;
    if (isPartition && operator !== '=') throw invalid('Query key condition not supported');
    if (!isPartition && name !== table.definition.sortKey?.name) {
      throw invalid(`Query condition missed key schema element: ${table.definition.partitionKey.name}`);
    }
  }
  const { name } = table.definition.partitionKey;
  if (!seen.has(name)) throw invalid(`Query condition missed key schema element: ${name}`);
}

function keyPart(condition: Condition): { name: string; operator: string } {
  switch (condition.kind) {
    case 'compare':
      if (condition.comparator === '<>') throw unsupported('<>');
      return { name: keyName(condition.left, condition.right), operator: condition.comparator };
    case 'between':
      return { name: keyName(condition.operand), operator: 'BETWEEN' };
    case 'function':
      if (condition.name !== 'begins_with') throw unsupported(condition.name);
      return { name: keyName(...condition.args), operator: condition.name };
    default:
      throw unsupported(condition.kind.toUpperCase());
  }
}

function keyName(...operands: Operand[]): string {
  const paths = operands.flatMap((operand) => (operand.kind === 'path' ? [operand.path] : []));
  const [path] = paths;
  if (operands.some(({ kind }) => kind === 'size')) {
    throw invalid('Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations');
  }
  if (!path) throw invalid('Invalid condition in KeyConditionExpression: No key attribute specified');
  if (paths.length > 1) {
    throw invalid('Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition');
  }
  if (path.length > 1) throw invalid('KeyConditionExpressions cannot have conditions on nested attributes');
  return String(path[0]);
}

const unsupported = (operator: string) => invalid(`Invalid operator used in KeyConditionExpression: ${operator}`);
