/** Evaluates conditions against an item. */
import { type AttributeValue, compare, equals, type Item, setMembers, typeOf } from '../attribute-value';
import type { Comparator, Condition, Operand } from './ast';
import { valueAt } from './paths';

/** A missing item is an empty one: every attribute of it is missing. */
export function holds(condition: Condition, item: Item): boolean {
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, item) && holds(condition.right, item);
    case 'or':
      return holds(condition.left, item) || holds(condition.right, item);
    case 'not':
      return !holds(condition.condition, item);
    case 'compare':
      return compares(condition.comparator, read(condition.left, item), read(condition.right, item));
    case 'between': {
      const value = read(condition.operand, item);
      return compares('>=', value, read(condition.low, item)) && compares('<=', value, read(condition.high, item));
    }
    case 'in': {
      const value = read(condition.operand, item);
      return condition.among.some((operand) => compares('=', value, read(operand, item)));
    }
    case 'function':
      return call(
        condition.name,
        condition.args.map((arg) => read(arg, item)),
      );
  }
}

function read(operand: Operand, item: Item): AttributeValue | undefined {
  switch (operand.kind) {
    case 'value':
      return operand.value;
    case 'path':
      return valueAt(item, operand.path);
    case 'size': {
      const value = read(operand.of, item);
      const size = value && sizeOf(value);
      return size === undefined ? undefined : { N: String(size) };
    }
  }
}

/** `<>` holds for a missing attribute and for one of another type; the other comparisons do not. */
function compares(
  comparator: Comparator,
  left: AttributeValue | undefined,
  right: AttributeValue | undefined,
): boolean {
  if (!left || !right) return comparator === '<>';
  if (comparator === '=') return equals(left, right);
  if (comparator === '<>') return !equals(left, right);
  const order = compare(left, right);
  if (order === undefined) return false;
  switch (comparator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function call(
  name: Extract<Condition, { kind: 'function' }>['name'],
  [first, second]: (AttributeValue | undefined)[],
): boolean {
  switch (name) {
    case 'attribute_exists':
      return first !== undefined;
    case 'attribute_not_exists':
      return first === undefined;
    case 'attribute_type':
      return first !== undefined && second !== undefined && 'S' in second && typeOf(first) === second.S;
    case 'begins_with':
      return first !== undefined && second !== undefined && beginsWith(first, second);
    case 'contains':
      return first !== undefined && second !== undefined && contains(first, second);
  }
}

function beginsWith(value: AttributeValue, prefix: AttributeValue): boolean {
  if ('S' in value && 'S' in prefix) return value.S.startsWith(prefix.S);
  if ('B' in value && 'B' in prefix) {
    const start = Buffer.from(prefix.B, 'base64');
    return Buffer.from(value.B, 'base64').subarray(0, start.length).equals(start);
  }
  return false;
}

function contains(container: AttributeValue, member: AttributeValue): boolean {
  if ('S' in container && 'S' in member) return container.S.includes(member.S);
  if ('B' in container && 'B' in member) {
    return Buffer.from(container.B, 'base64').includes(Buffer.from(member.B, 'base64'));
  }
  if ('L' in container) return container.L.some((element) => equals(element, member));
  if ('SS' in container && 'S' in member) return container.SS.includes(member.S);
  if ('NS' in container && 'N' in member) return container.NS.includes(member.N);
  if ('BS' in container && 'B' in member) return container.BS.includes(member.B);
  return false;
}

/** UTF-8 bytes of a string, bytes of a binary, members of a container; numbers, booleans and null have no size. */
function sizeOf(value: AttributeValue): number | undefined {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('L' in value) return value.L.length;
  if ('M' in value) return Object.keys(value.M).length;
  return setMembers(value)?.length;
}
