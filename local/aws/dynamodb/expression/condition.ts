/** Condition, filter and key condition expressions: grammar and static checks. */
import { type AttributeType, type AttributeValue, compare, typeOf } from '../attribute-value';
import { type Comparator, type Condition, type ConditionFunction, type Operand, showPath } from './ast';
import { ExpressionError } from './error';
import { parsePath } from './paths';
import type { Placeholders } from './placeholders';
import { Tokens } from './tokens';

const COMPARATORS: readonly Comparator[] = ['=', '<>', '<=', '<', '>=', '>'];
const ARITY: Record<ConditionFunction | 'size', number> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};
const TYPE_NAMES: readonly string[] = ['S', 'N', 'B', 'NULL', 'SS', 'BOOL', 'L', 'BS', 'NS', 'M'];

/** Until it is known whether parentheses hold a condition or an operand, a node is either. */
type Node = { condition: Condition } | { operand: Operand };

export function parseCondition(source: string, placeholders: Placeholders): Condition {
  const parser = new Parser(new Tokens(source), placeholders);
  return parser.parse();
}

class Parser {
  /** Where each parenthesised group began → the position after its end. */
  private readonly groups = new Map<number, number>();

  constructor(
    private readonly tokens: Tokens,
    private readonly placeholders: Placeholders,
  ) {}

  parse(): Condition {
    const condition = this.asCondition(this.parseOr());
    if (this.tokens.next.kind !== 'end') throw this.tokens.syntaxError();
    return condition;
  }

  private parseOr(): Node {
    let node = this.parseAnd();
    while (this.tokens.takeKeyword('OR')) {
      node = { condition: { kind: 'or', left: this.asCondition(node), right: this.asCondition(this.parseAnd()) } };
    }
    return node;
  }

  private parseAnd(): Node {
    let node = this.parseNot();
    while (this.tokens.takeKeyword('AND')) {
      node = { condition: { kind: 'and', left: this.asCondition(node), right: this.asCondition(this.parseNot()) } };
    }
    return node;
  }

  private parseNot(): Node {
    if (!this.tokens.takeKeyword('NOT')) return this.parseComparison();
    return { condition: { kind: 'not', condition: this.asCondition(this.parseNot()) } };
  }

  private parseComparison(): Node {
    const left = this.parsePrimary();
    const comparator = COMPARATORS.find((candidate) => this.tokens.isSymbol(candidate));
    if (comparator) {
      const operand = this.asOperand(left);
      this.tokens.advance();
      const right = this.parseOperand();
      checkDistinct(comparator, [operand, right]);
      if (comparator !== '=' && comparator !== '<>') {
        for (const side of [operand, right]) requireType(comparator, side, ['S', 'N', 'B']);
      }
      return { condition: { kind: 'compare', comparator, left: operand, right } };
    }
    if (this.tokens.isKeyword('BETWEEN')) {
      const operand = this.asOperand(left);
      this.tokens.advance();
      const low = this.parseOperand();
      if (!this.tokens.takeKeyword('AND')) throw this.tokens.syntaxError();
      const high = this.parseOperand();
      checkBounds(low, high);
      return { condition: { kind: 'between', operand, low, high } };
    }
    if (this.tokens.isKeyword('IN')) {
      const operand = this.asOperand(left);
      this.tokens.advance();
      this.tokens.expectSymbol('(');
      return { condition: { kind: 'in', operand, among: this.parseList() } };
    }
    return left;
  }

  private parsePrimary(): Node {
    if (this.tokens.takeSymbol('(')) return this.parseParentheses();
    const { kind, text } = this.tokens.next;
    if (kind === 'value') {
      this.tokens.advance();
      return { operand: { kind: 'value', value: this.placeholders.value(text) } };
    }
    if (kind === 'word' && this.tokens.following?.text === '(' && !['AND', 'OR', 'NOT'].includes(text.toUpperCase())) {
      return this.parseFunction();
    }
    return { operand: { kind: 'path', path: parsePath(this.tokens, this.placeholders) } };
  }

  /** After `(`. A group that holds nothing but another group is refused by DynamoDB as redundant. */
  private parseParentheses(): Node {
    const start = this.tokens.index;
    const node = this.parseOr();
    const redundant = this.groups.get(start) === this.tokens.index;
    this.tokens.expectSymbol(')');
    if (redundant) throw new ExpressionError('The expression has redundant parentheses;');
    this.groups.set(start - 1, this.tokens.index);
    return node;
  }

  private parseFunction(): Node {
    const name = this.tokens.advance().text;
    this.tokens.expectSymbol('(');
    if (!isFunction(name)) throw new ExpressionError(`Invalid function name; function: ${name}`);
    const args = this.parseList();
    if (args.length !== ARITY[name]) {
      throw new ExpressionError(
        'Incorrect number of operands for operator or function; ' +
          `operator or function: ${name}, number of operands: ${args.length}`,
      );
    }
    const [first, second] = args;
    if (name === 'size') {
      if (first!.kind === 'value') requireType(name, first!, ['S', 'B', 'SS', 'NS', 'BS', 'L', 'M']);
      return { operand: { kind: 'size', of: first! } };
    }
    if ((name === 'attribute_exists' || name === 'attribute_not_exists') && first!.kind !== 'path') {
      throw new ExpressionError(`Operator or function requires a document path; operator or function: ${name}`);
    }
    if (name === 'begins_with') for (const arg of args) requireType(name, arg, ['S', 'B']);
    if (name === 'attribute_type') checkTypeName(second!);
    checkDistinct(name, args);
    return { condition: { kind: 'function', name, args } };
  }

  /** Operands up to the closing parenthesis. */
  private parseList(): Operand[] {
    const operands = [this.parseOperand()];
    while (this.tokens.takeSymbol(',')) operands.push(this.parseOperand());
    this.tokens.expectSymbol(')');
    return operands;
  }

  private parseOperand(): Operand {
    return this.asOperand(this.parsePrimary());
  }

  private asCondition(node: Node): Condition {
    if ('condition' in node) return node.condition;
    if (node.operand.kind === 'size') throw misused('size');
    throw this.tokens.syntaxError();
  }

  private asOperand(node: Node): Operand {
    if ('operand' in node) return node.operand;
    if (node.condition.kind === 'function') throw misused(node.condition.name);
    throw this.tokens.syntaxError();
  }
}

const isFunction = (name: string): name is ConditionFunction | 'size' => Object.hasOwn(ARITY, name);

const misused = (name: string) =>
  new ExpressionError(`The function is not allowed to be used this way in an expression; function: ${name}`);

/** Checks a literal operand's type; what an attribute holds is only known when the expression is evaluated. */
function requireType(operator: string, operand: Operand, allowed: readonly AttributeType[]): void {
  if (operand.kind !== 'value') return;
  const type = typeOf(operand.value);
  if (allowed.includes(type)) return;
  throw new ExpressionError(
    `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`,
  );
}

function checkTypeName(operand: Operand): void {
  if (operand.kind !== 'value' || !('S' in operand.value)) {
    const type = operand.kind === 'value' ? typeOf(operand.value) : '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}';
    throw new ExpressionError(
      `Incorrect operand type for operator or function; operator or function: attribute_type, operand type: ${type}`,
    );
  }
  if (TYPE_NAMES.includes(operand.value.S)) return;
  throw new ExpressionError(
    `Invalid attribute type name found; type: ${operand.value.S}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
  );
}

function checkDistinct(operator: string, [first, second]: readonly Operand[]): void {
  if (first?.kind !== 'path' || second?.kind !== 'path' || showPath(first.path) !== showPath(second.path)) return;
  throw new ExpressionError(
    'The first operand must be distinct from the remaining operands for this operator or function; ' +
      `operator: ${operator}, first operand: ${showPath(first.path)}`,
  );
}

function checkBounds(low: Operand, high: Operand): void {
  if (low.kind !== 'value' || high.kind !== 'value') return;
  const bounds = `lower bound operand: AttributeValue: ${show(low.value)}, upper bound operand: AttributeValue: ${show(high.value)}`;
  if (typeOf(low.value) !== typeOf(high.value)) {
    throw new ExpressionError(`The BETWEEN operator requires same data type for lower and upper bounds; ${bounds}`);
  }
  if ((compare(low.value, high.value) ?? 0) > 0) {
    throw new ExpressionError(
      `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds}`,
    );
  }
}

const show = (value: AttributeValue) => `{${typeOf(value)}:${Object.values(value)[0]}}`;
