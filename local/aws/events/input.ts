/**
 * What a target receives of an event.
 * Source: EventBridge User Guide, "Amazon EventBridge input transformation".
 */
import { z } from 'zod';
import { AwsError } from '../service';
import type { BusEvent } from './event';

export const INPUT = {
  Input: z.string().max(8192).optional(),
  InputPath: z.string().max(256).optional(),
  InputTransformer: z
    .strictObject({
      InputPathsMap: z.record(z.string().regex(/^[\w-]+$/), z.string()).default({}),
      InputTemplate: z.string().min(1).max(8192),
    })
    .optional(),
};

export interface InputSettings {
  Input?: string;
  InputPath?: string;
  InputTransformer?: { InputPathsMap: Record<string, string>; InputTemplate: string };
}

/** @throws AwsError ValidationException when more than one kind of input is given, or Input is not JSON. */
export function checkInput({ Input, InputPath, InputTransformer }: InputSettings, target: string): void {
  const given = [Input, InputPath, InputTransformer].filter((setting) => setting !== undefined);
  if (given.length > 1)
    throw new AwsError(
      'ValidationException',
      `Only one of Input, InputPath, or InputTransformer must be provided for target ${target}.`,
    );
  if (Input !== undefined) {
    try {
      JSON.parse(Input);
    } catch {
      throw new AwsError('ValidationException', `JSON syntax error in input for target ${target}`);
    }
  }
}

/** The JSON or text that a target receives. */
export function inputFor(event: BusEvent, rule: { name: string; arn: string }, settings: InputSettings): string {
  const { Input, InputPath, InputTransformer } = settings;
  if (Input !== undefined) return Input;
  if (InputPath !== undefined) return JSON.stringify(valueAt(event, InputPath) ?? null);
  if (!InputTransformer) return JSON.stringify(event);
  const values = new Map<string, unknown>([
    ['aws.events.rule-arn', rule.arn],
    ['aws.events.rule-name', rule.name],
    ['aws.events.event.ingestion-time', event.time],
    ['aws.events.event', event],
    ['aws.events.event.json', event],
  ]);
  for (const [name, path] of Object.entries(InputTransformer.InputPathsMap)) values.set(name, valueAt(event, path));
  return fill(InputTransformer.InputTemplate, values);
}

/**
 * Replaces `<name>`. Inside quotes a text goes in as it is (escaped), elsewhere as JSON; a value that does not exist is
 * empty inside quotes and null elsewhere. Other angle brackets stay.
 */
function fill(template: string, values: Map<string, unknown>): string {
  let quoted = false;
  return template.replace(/\\.|"|<([\w.-]+)>/gs, (found, name?: string) => {
    if (found === '"') quoted = !quoted;
    if (name === undefined || !values.has(name)) return found;
    const value = values.get(name);
    if (!quoted) return JSON.stringify(value ?? null);
    const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
}

/** A JSON path of names and indexes, `$.detail.items[0]`. */
function valueAt(event: BusEvent, path: string): unknown {
  if (!/^\$(\.[\w-]+|\[\d+\])*$/.test(path))
    throw new AwsError('ValidationException', `Invalid InputPath ${path}: only names and indexes are modelled.`);
  let value: unknown = event;
  for (const [, name, index] of path.matchAll(/\.([\w-]+)|\[(\d+)\]/g)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name ?? index!];
  }
  return value;
}
