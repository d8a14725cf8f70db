/**
 * Evaluates the JSONata expressions of a state machine as AWS does: with `$states`, the workflow's variables and AWS's
 * additional functions. Time and chance come from outside, so that a run can be repeated exactly.
 * Source: AWS Step Functions Developer Guide, "Transforming data with JSONata in Step Functions".
 */
import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { Clock } from '../clock';
import { Random } from '../random';
import { QueryEvaluationError } from './errors';
import { expressionOf } from './expressions';
import { isObject, type Json, type JsonObject, NotJson, toJson } from './json';

/** What an expression can see. */
export interface Bindings {
  variables: JsonObject;
  states: {
    input: Json;
    context: Json;
    result?: Json;
    errorOutput?: Json;
  };
}

/** Where an expression stands, for messages. */
export interface Place {
  state: string;
  /** The id of the state's entered event in the history, when there is one. */
  enteredEventId?: number;
  field: string;
}

/** Names of the JSON types in AWS's messages about a result of the wrong type. */
export type ResultType = 'boolean' | 'number' | 'string' | 'array' | 'object';

export class Evaluator {
  private readonly compiled = new Map<string, jsonata.Expression>();

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly random: Random,
  ) {}

  /**
   * Evaluates one expression, written without braces.
   * @throws QueryEvaluationError when it fails or yields nothing or something that is not JSON.
   */
  async expression(source: string, bindings: Bindings, place: Place): Promise<Json> {
    const told = `The JSONata expression '${source}' specified for the field '${place.field}'`;
    let value: unknown;
    try {
      value = await this.compile(source).evaluate(undefined, { ...bindings.variables, states: bindings.states });
    } catch (error) {
      const { code, message } = describe(error);
      throw failure(`${told} threw an error during evaluation. ${code ? `${code}: ` : ''}${message}`, place);
    }
    if (value === undefined) throw failure(`${told} returned nothing (undefined).`, place);
    try {
      return toJson(value);
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      throw failure(`${told} returned an unsupported result type '${error.message}'.`, place);
    }
  }

  /** Evaluates every expression of a template; the other values stand for themselves. */
  async template(template: Json, bindings: Bindings, place: Place): Promise<Json> {
    if (typeof template === 'string') {
      const source = expressionOf(template);
      return source === undefined ? template : this.expression(source, bindings, place);
    }
    if (Array.isArray(template)) {
      const items: Json[] = [];
      for (const [index, item] of template.entries())
        items.push(await this.template(item, bindings, { ...place, field: `${place.field}[${index}]` }));
      return items;
    }
    if (isObject(template)) {
      const members: JsonObject = {};
      for (const [name, member] of Object.entries(template))
        members[name] = await this.template(member, bindings, { ...place, field: `${place.field}/${name}` });
      return members;
    }
    return template;
  }

  private compile(source: string): jsonata.Expression {
    const known = this.compiled.get(source);
    if (known) return known;
    const expression = jsonata(source);
    this.register(expression);
    this.compiled.set(source, expression);
    return expression;
  }

  private register(expression: jsonata.Expression): void {
    expression.registerFunction('now', (...format) => formatTime(Math.floor(this.clock.now()), format), '<s?s?:s>');
    expression.registerFunction('millis', () => Math.floor(this.clock.now()), '<:n>');
    expression.registerFunction(
      'random',
      (seed?: number) => (seed === undefined ? this.random : new Random(seed)).next(),
      '<n?:n>',
    );
    expression.registerFunction('shuffle', (items: unknown[]) => shuffle(items, this.random), '<a:a>');
    expression.registerFunction('uuid', () => this.random.uuid(), '<:s>');
    expression.registerFunction('partition', partition, '<an:a<a>>');
    expression.registerFunction('range', range, '<nnn:a<n>>');
    expression.registerFunction('hash', hash, '<ss:s>');
    expression.registerFunction('parse', parse, '<s:x>');
    expression.registerFunction('eval', () => {
      throw new Error('The $eval function is not supported; use $parse for JSON text');
    });
  }
}

/** JSONata's own formatting, fed with another clock. */
const FORMATS = ['$fromMillis($time)', '$fromMillis($time, $picture)', '$fromMillis($time, $picture, $zone)'].map(
  (text) => jsonata(text),
);
function formatTime(time: number, [picture, zone]: unknown[]): Promise<unknown> {
  return FORMATS[zone !== undefined ? 2 : picture !== undefined ? 1 : 0]!.evaluate(undefined, { time, picture, zone });
}

function failure(problem: string, { state, enteredEventId, field }: Place): QueryEvaluationError {
  const entered = enteredEventId === undefined ? '' : ` (entered at the event id #${enteredEventId})`;
  return new QueryEvaluationError(
    `An error occurred while executing the state '${state}'${entered}. ${problem}`,
    field,
    state,
  );
}

/** The failure of a field whose value has the wrong type or range. */
export function unexpected(expected: string, value: Json, place: Place): QueryEvaluationError {
  return failure(
    `The JSONata expression specified for the field '${place.field}' returned an unexpected result. Expected ${expected}, but was ${JSON.stringify(value)}.`,
    place,
  );
}

function describe(error: unknown): { code?: string; message: string } {
  if (!isObject(error)) return { message: String(error) };
  const { code, message } = error;
  return { code: typeof code === 'string' ? code : undefined, message: String(message) };
}

function shuffle<T>(items: T[], random: Random): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}

/** `$partition(array, size)`: the array in chunks of `size`; the last one may be shorter. */
function partition(items: Json[], size: number): Json[][] {
  if (!(size >= 1)) throw new Error('The size of a partition must be at least 1');
  const step = Math.floor(size);
  return Array.from({ length: Math.ceil(items.length / step) }, (_, i) => items.slice(i * step, (i + 1) * step));
}

/** AWS's limit for `$range` is a thousand numbers. */
const RANGE_LIMIT = 1000;

/** `$range(first, last, step)`: the last number is included when it is met. */
function range(first: number, last: number, step: number): number[] {
  if (step === 0) throw new Error('The step of a range must not be 0');
  const length = Math.max(0, Math.floor((last - first) / step) + 1);
  if (length > RANGE_LIMIT) throw new Error(`A range must not have more than ${RANGE_LIMIT} numbers`);
  return Array.from({ length }, (_, i) => first + i * step);
}

const ALGORITHMS = new Map([
  ['MD5', 'md5'],
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
]);

/** `$hash(text, algorithm)`, lower-case hexadecimal. */
function hash(text: string, algorithm: string): string {
  const name = ALGORITHMS.get(algorithm);
  if (!name) throw new Error(`The hash algorithm must be one of ${[...ALGORITHMS.keys()].join(', ')}`);
  return createHash(name).update(text).digest('hex');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The argument of $parse is not JSON');
  }
}
