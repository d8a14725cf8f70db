/**
 * Command documents of schema 2.2: what they may contain, and what a call's parameters become on the node.
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
 */
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { AwsError } from '../service';
import { invalidContent, invalidParameters } from './errors';

/** Bytes of a document's content. Source: SSM quotas. */
const MAX_CONTENT_BYTES = 64 * 1024;
const DEFAULT_EXECUTION_TIMEOUT_SECONDS = 3600;

const PARAMETER = z.strictObject({
  /** Lists, maps and numbers are not modelled. */
  type: z.literal('String'),
  description: z.string().optional(),
  default: z.string().optional(),
  allowedPattern: z.string().refine(isPattern, 'is not a regular expression').optional(),
  allowedValues: z.array(z.string()).optional(),
  minChars: z.int().min(0).optional(),
  maxChars: z.int().min(0).optional(),
  displayType: z.enum(['textfield', 'textarea']).optional(),
  interpolationType: z.literal('ENV_VAR').optional(),
});
type Parameter = z.infer<typeof PARAMETER>;

const SECONDS = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().min(1).max(172_800));

const STEP = z.strictObject({
  action: z.literal('aws:runShellScript'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
  precondition: z.strictObject({ StringEquals: z.tuple([z.literal('platformType'), z.literal('Linux')]) }).optional(),
  onFailure: z.enum(['exit', 'successAndExit']).optional(),
  inputs: z.strictObject({
    runCommand: z.array(z.string()).min(1),
    timeoutSeconds: SECONDS.optional(),
    workingDirectory: z.string().optional(),
  }),
});

const CONTENT = z.strictObject({
  schemaVersion: z.literal('2.2'),
  description: z.string().optional(),
  parameters: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), PARAMETER).default({}),
  mainSteps: z.array(STEP).min(1),
});
type Content = z.infer<typeof CONTENT>;

export interface Step {
  name: string;
  script: string;
  timeoutSeconds: number;
  /** Later steps run after a failure unless it says `exit`. */
  exitOnFailure: boolean;
}

export interface Document {
  name: string;
  version: string;
  format: 'JSON' | 'YAML';
  /** As it was given. */
  source: string;
  description: string | undefined;
  parameters: Record<string, Parameter>;
  steps: Step[];
  createdAt: Date;
  tags: { Key: string; Value: string }[];
}

/** @throws AwsError InvalidDocumentContent naming every fault, MaxDocumentSizeExceeded */
export function parseContent(
  given: string | Record<string, unknown>,
  format: Document['format'],
): Pick<Document, 'source' | 'description' | 'parameters' | 'steps'> {
  const source = typeof given === 'string' ? given : JSON.stringify(given);
  if (Buffer.byteLength(source) > MAX_CONTENT_BYTES) {
    throw new AwsError('MaxDocumentSizeExceeded', 'The size limit of a document is 64 KB.');
  }
  const parsed = CONTENT.safeParse(decode(source, format));
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'content'}: ${message}`);
    throw invalidContent(faults.join('; '));
  }
  const { description, parameters, mainSteps } = parsed.data;
  for (const [name, parameter] of Object.entries(parameters)) {
    const fault = parameter.default === undefined ? undefined : faultOf(parameter, parameter.default);
    if (fault) throw invalidContent(`parameters.${name}: its default ${fault}`);
  }
  for (const step of mainSteps) checkReferences(step, parameters);
  if (new Set(mainSteps.map(({ name }) => name)).size < mainSteps.length) {
    throw invalidContent('mainSteps: two steps have the same name');
  }
  return { source, description, parameters, steps: mainSteps.map(toStep) };
}

function decode(source: string, format: Document['format']): unknown {
  try {
    return format === 'YAML' ? parseYaml(source) : JSON.parse(source);
  } catch (error) {
    throw invalidContent(`not ${format}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function toStep({ name, onFailure, inputs }: Content['mainSteps'][number]): Step {
  if (onFailure === 'successAndExit' || inputs.workingDirectory !== undefined) {
    throw invalidContent(`mainSteps: ${name}: successAndExit and workingDirectory are not modelled`);
  }
  return {
    name,
    script: inputs.runCommand.join('\n'),
    timeoutSeconds: inputs.timeoutSeconds ?? DEFAULT_EXECUTION_TIMEOUT_SECONDS,
    exitOnFailure: onFailure === 'exit',
  };
}

const REFERENCE = /\{\{\s*([^}]*?)\s*\}\}/g;

/**
 * AWS accepts a reference to an ENV_VAR parameter, but what it becomes depends on the agent's version: older ones paste
 * the value into the script, which is the injection that ENV_VAR exists to prevent. It is refused here.
 */
function checkReferences({ name, inputs }: Content['mainSteps'][number], parameters: Record<string, Parameter>): void {
  for (const [reference, parameter = ''] of inputs.runCommand.join('\n').matchAll(REFERENCE)) {
    const known = parameters[parameter];
    if (!known) throw invalidContent(`mainSteps: ${name}: ${reference} is not a parameter of the document`);
    if (known.interpolationType) {
      throw invalidContent(`mainSteps: ${name}: ${reference} is passed as the variable SSM_${parameter}, use that`);
    }
  }
}

/** What a step runs with the parameters of one command. */
export function render(step: Step, document: Document, values: Record<string, string>): string {
  return step.script.replace(
    REFERENCE,
    (_reference, name: string) => values[name] ?? document.parameters[name]?.default ?? '',
  );
}

/** The variables that ENV_VAR parameters become. */
export function environment(document: Document, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(document.parameters)
      .filter(([, { interpolationType }]) => interpolationType === 'ENV_VAR')
      .map(([name]) => [`SSM_${name}`, values[name]!]),
  );
}

/** The value of every parameter, defaults applied. Throws InvalidParameters naming the first that is wrong. */
export function resolveParameters(document: Document, given: Record<string, string[]>): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(document.parameters, name));
  if (unknown.length > 0) {
    throw invalidParameters(`document ${document.name} does not support parameters: ${unknown.join(', ')}`);
  }
  return Object.fromEntries(
    Object.entries(document.parameters).map(([name, parameter]) => {
      const values = given[name] ?? (parameter.default === undefined ? [] : [parameter.default]);
      const [value] = values;
      if (value === undefined) throw invalidParameters(`Parameter "${name}" is required by document ${document.name}`);
      if (values.length > 1) throw invalidParameters(`Parameter "${name}" takes one value, not ${values.length}`);
      const fault = faultOf(parameter, value);
      if (fault) throw invalidParameters(`Parameter "${name}" ${fault}`);
      return [name, value];
    }),
  );
}

function faultOf({ allowedPattern, allowedValues, minChars, maxChars }: Parameter, value: string): string | undefined {
  if (allowedPattern && !new RegExp(allowedPattern).test(value)) {
    return `does not match its allowedPattern ${allowedPattern}`;
  }
  if (allowedValues && !allowedValues.includes(value)) return `is not one of ${allowedValues.join(', ')}`;
  if (minChars !== undefined && value.length < minChars) return `is shorter than ${minChars} characters`;
  if (maxChars !== undefined && value.length > maxChars) return `is longer than ${maxChars} characters`;
  return undefined;
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}
