/** Update expressions: grammar, static checks, and their effect on an item. */
import { type AttributeValue, type Item, setMembers, typeOf } from '../attribute-value';
import { addDecimals } from '../decimal';
import { invalid } from '../errors';
import type { DocumentPath, SetValue, UpdateAction } from './ast';
import { ExpressionError } from './error';
import { parsePath, refuseOverlaps, valueAt } from './paths';
import type { Placeholders } from './placeholders';
import { Tokens } from './tokens';

const SECTIONS = ['SET', 'REMOVE', 'ADD', 'DELETE'] as const;
type Section = (typeof SECTIONS)[number];

/** How the service names types in errors about ADD and DELETE. */
const LONG_NAMES: Record<string, string> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  NULL: 'NULL',
  BOOL: 'BOOLEAN',
  L: 'LIST',
  M: 'MAP',
};

export function parseUpdate(source: string, placeholders: Placeholders): UpdateAction[] {
  const tokens = new Tokens(source);
  const seen = new Set<Section>();
  const actions: UpdateAction[] = [];
  do {
    const section = SECTIONS.find((candidate) => tokens.isKeyword(candidate));
    if (!section) throw tokens.syntaxError();
    tokens.advance();
    if (seen.has(section)) {
      throw new ExpressionError(`The "${section}" section can only be used once in an update expression;`);
    }
    seen.add(section);
    do {
      actions.push(parseAction(section, tokens, placeholders));
    } while (tokens.takeSymbol(','));
  } while (tokens.next.kind !== 'end');
  refuseOverlaps(actions.map(({ path }) => path));
  return actions;
}

function parseAction(section: Section, tokens: Tokens, placeholders: Placeholders): UpdateAction {
  const path = parsePath(tokens, placeholders);
  if (section === 'REMOVE') return { kind: 'remove', path };
  if (section === 'SET') {
    tokens.expectSymbol('=');
    return { kind: 'set', path, value: parseSetValue(tokens, placeholders) };
  }
  if (tokens.next.kind !== 'value') throw tokens.syntaxError();
  const value = placeholders.value(tokens.advance().text);
  if (!setMembers(value) && !(section === 'ADD' && 'N' in value)) {
    throw new ExpressionError(
      `Incorrect operand type for operator or function; operator: ${section}, operand type: ${LONG_NAMES[typeOf(value)]}`,
    );
  }
  return { kind: section === 'ADD' ? 'add' : 'delete', path, value };
}

function parseSetValue(tokens: Tokens, placeholders: Placeholders): SetValue {
  const left = parseSetOperand(tokens, placeholders);
  const sign = (['+', '-'] as const).find((symbol) => tokens.takeSymbol(symbol));
  if (!sign) return left;
  const right = parseSetOperand(tokens, placeholders);
  for (const operand of [left, right]) requireLiteral(sign, operand, 'N');
  return { kind: 'arithmetic', sign, left, right };
}

function parseSetOperand(tokens: Tokens, placeholders: Placeholders): SetValue {
  if (tokens.takeSymbol('(')) {
    const value = parseSetValue(tokens, placeholders);
    tokens.expectSymbol(')');
    return value;
  }
  const { kind, text } = tokens.next;
  if (kind === 'value') {
    tokens.advance();
    return { kind: 'value', value: placeholders.value(text) };
  }
  if (kind === 'word' && tokens.following?.text === '(') return parseFunction(tokens, placeholders);
  return { kind: 'path', path: parsePath(tokens, placeholders) };
}

function parseFunction(tokens: Tokens, placeholders: Placeholders): SetValue {
  const name = tokens.advance().text;
  tokens.expectSymbol('(');
  if (name !== 'if_not_exists' && name !== 'list_append') {
    throw new ExpressionError(`Invalid function name; function: ${name}`);
  }
  const args = [parseSetOperand(tokens, placeholders)];
  while (tokens.takeSymbol(',')) args.push(parseSetOperand(tokens, placeholders));
  tokens.expectSymbol(')');
  const [first, second, ...more] = args;
  if (!first || !second || more.length > 0) {
    throw new ExpressionError(
      'Incorrect number of operands for operator or function; ' +
        `operator or function: ${name}, number of operands: ${args.length}`,
    );
  }
  if (name === 'list_append') {
    for (const operand of [first, second]) requireLiteral(name, operand, 'L');
    return { kind: 'list_append', left: first, right: second };
  }
  if (first.kind !== 'path') {
    throw new ExpressionError(`Operator or function requires a document path; operator or function: ${name}`);
  }
  return { kind: 'if_not_exists', path: first.path, otherwise: second };
}

function requireLiteral(operator: string, operand: SetValue, type: 'N' | 'L'): void {
  if (operand.kind !== 'value' || typeOf(operand.value) === type) return;
  throw new ExpressionError(
    `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${typeOf(operand.value)}`,
  );
}

/**
 * Returns the updated copy of an item. Every value on the right is read from the item as it was before the update.
 * Throws ValidationException when a path has no parent or an operand has the wrong type.
 */
export function applyUpdate(actions: readonly UpdateAction[], before: Item): Item {
  const item = structuredClone(before);
  const values = actions.map((action) => (action.kind === 'set' ? resolve(action.value, before) : undefined));
  const removed = new Map<AttributeValue[], Set<number>>();
  actions.forEach((action, index) => {
    const place = locate(item, action.path);
    switch (action.kind) {
      case 'set':
        place.write(structuredClone(values[index]!));
        break;
      case 'add':
        place.write(added(place.read(), action.value));
        break;
      case 'remove':
        place.remove(removed);
        break;
      case 'delete': {
        const rest = without(place.read(), action.value);
        if (rest) place.write(rest);
        else place.remove(removed);
      }
    }
  });
  // Lists close their gaps last: the indices of one expression all mean the list as it was.
  for (const [list, indices] of removed) list.splice(0, list.length, ...list.filter((_, index) => !indices.has(index)));
  return item;
}

const wrongType = () => invalid('An operand in the update expression has an incorrect data type');

function resolve(value: SetValue, item: Item): AttributeValue {
  switch (value.kind) {
    case 'value':
      return value.value;
    case 'path': {
      const found = valueAt(item, value.path);
      if (!found) throw invalid('The provided expression refers to an attribute that does not exist in the item');
      return found;
    }
    case 'if_not_exists':
      return valueAt(item, value.path) ?? resolve(value.otherwise, item);
    case 'list_append': {
      const left = resolve(value.left, item);
      const right = resolve(value.right, item);
      if (!('L' in left) || !('L' in right)) throw wrongType();
      return { L: [...left.L, ...right.L] };
    }
    case 'arithmetic': {
      const left = resolve(value.left, item);
      const right = resolve(value.right, item);
      if (!('N' in left) || !('N' in right)) throw wrongType();
      return { N: addDecimals(left.N, right.N, value.sign === '+' ? 1n : -1n) };
    }
  }
}

interface Place {
  read(): AttributeValue | undefined;
  write(value: AttributeValue): void;
  remove(removed: Map<AttributeValue[], Set<number>>): void;
}

function locate(item: Item, path: DocumentPath): Place {
  const parent = valueAt(item, path.slice(0, -1));
  const last = path.at(-1);
  if (typeof last === 'string' && parent && 'M' in parent) {
    const map = parent.M;
    return {
      read: () => (Object.hasOwn(map, last) ? map[last] : undefined),
      write: (value) => {
        map[last] = value;
      },
      remove: () => {
        delete map[last];
      },
    };
  }
  if (typeof last === 'number' && parent && 'L' in parent) {
    const list = parent.L;
    return {
      read: () => list[last],
      // Beyond the end means at the end.
      write: (value) => {
        list[Math.min(last, list.length)] = value;
      },
      remove: (removed) => {
        removed.set(list, (removed.get(list) ?? new Set()).add(last));
      },
    };
  }
  throw invalid('The document path provided in the update expression is invalid for update');
}

function added(existing: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (!existing) return structuredClone(value);
  if ('N' in existing && 'N' in value) return { N: addDecimals(existing.N, value.N) };
  return changeSet(existing, value, (before, change) => [...new Set([...before, ...change])]);
}

/** Undefined when nothing is left: DynamoDB has no empty sets. */
function without(existing: AttributeValue | undefined, value: AttributeValue): AttributeValue | undefined {
  if (!existing) return undefined;
  const rest = changeSet(existing, value, (before, change) => before.filter((member) => !change.includes(member)));
  return setMembers(rest)?.length ? rest : undefined;
}

function changeSet(
  existing: AttributeValue,
  value: AttributeValue,
  change: (before: string[], change: string[]) => string[],
): AttributeValue {
  if ('SS' in existing && 'SS' in value) return { SS: change(existing.SS, value.SS) };
  if ('NS' in existing && 'NS' in value) return { NS: change(existing.NS, value.NS) };
  if ('BS' in existing && 'BS' in value) return { BS: change(existing.BS, value.BS) };
  throw wrongType();
}
