/** Writes DynamoDB's condition and update expressions. Every name is a placeholder, so that no reserved word matters. */
import { marshalAll, type Plain } from './attributes';

/** An attribute, or the way to one inside maps. */
export type Path = string | readonly string[];

export type Condition = (expression: Expression) => string;

export const absent =
  (path: Path): Condition =>
  (expression) =>
    `attribute_not_exists(${expression.path(path)})`;

export const exists =
  (path: Path): Condition =>
  (expression) =>
    `attribute_exists(${expression.path(path)})`;

export const equals =
  (path: Path, value: Plain): Condition =>
  (expression) =>
    `${expression.path(path)} = ${expression.value(value)}`;

/** A number, and smaller than this. */
export const below =
  (path: Path, value: number): Condition =>
  (expression) =>
    `${expression.path(path)} < ${expression.value(value)}`;

export const both =
  (...conditions: Condition[]): Condition =>
  (expression) =>
    `(${conditions.map((condition) => condition(expression)).join(' AND ')})`;

export const either =
  (...conditions: Condition[]): Condition =>
  (expression) =>
    `(${conditions.map((condition) => condition(expression)).join(' OR ')})`;

/** One change of an item: nothing happens unless all of `when` hold. */
export interface Change {
  set?: readonly (readonly [Path, Plain])[];
  /** Set only where nothing is. */
  defaults?: readonly (readonly [Path, Plain])[];
  remove?: readonly Path[];
  when: readonly Condition[];
}

/** Collects the placeholders of one request. */
export class Expression {
  private readonly names = new Map<string, string>();
  private readonly values: Record<string, Plain> = {};

  path(path: Path): string {
    const parts = typeof path === 'string' ? [path] : path;
    return parts.map((part) => this.name(part)).join('.');
  }

  value(value: Plain): string {
    const placeholder = `:v${Object.keys(this.values).length}`;
    this.values[placeholder] = value;
    return placeholder;
  }

  private name(name: string): string {
    const placeholder = this.names.get(name) ?? `#n${this.names.size}`;
    this.names.set(name, placeholder);
    return placeholder;
  }

  /** The parameters of UpdateItem. */
  update({ set = [], defaults = [], remove = [], when }: Change) {
    const assignments = [
      ...set.map(([path, value]) => `${this.path(path)} = ${this.value(value)}`),
      ...defaults.map(
        ([path, value]) => `${this.path(path)} = if_not_exists(${this.path(path)}, ${this.value(value)})`,
      ),
    ];
    const clauses = [
      assignments.length > 0 && `SET ${assignments.join(', ')}`,
      remove.length > 0 && `REMOVE ${remove.map((path) => this.path(path)).join(', ')}`,
    ];
    const condition = when.map((holds) => holds(this)).join(' AND ');
    return {
      UpdateExpression: clauses.filter(Boolean).join(' '),
      ConditionExpression: condition || undefined,
      ExpressionAttributeNames: Object.fromEntries([...this.names].map(([name, placeholder]) => [placeholder, name])),
      ExpressionAttributeValues: Object.keys(this.values).length > 0 ? marshalAll(this.values) : undefined,
    };
  }
}
