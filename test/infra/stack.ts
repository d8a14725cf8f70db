/** Synthesizes the stack once per configuration and test file, in process, and looks into the template. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { parseConfig } from '../../infra/config';
import { type SynthesisProps, synthesize } from '../../infra/synth';

export const ROOT = join(__dirname, '../..');

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
const JSON_VALUE: z.ZodType<Json> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(JSON_VALUE), z.record(z.string(), JSON_VALUE)]),
);

const RESOURCE = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), JSON_VALUE).default({}),
  DependsOn: z.array(z.string()).default([]),
  DeletionPolicy: z.string().optional(),
});
export type Resource = z.output<typeof RESOURCE>;

const TEMPLATE = z.object({
  Description: z.string(),
  Parameters: z.record(z.string(), z.object({ Type: z.string(), Default: z.string() })),
  Resources: z.record(z.string(), RESOURCE),
  Outputs: z.record(z.string(), z.object({ Value: JSON_VALUE })),
});
export type Template = z.output<typeof TEMPLATE>;

const scratch: string[] = [];

function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), 'k3s-ha-infra-'));
  scratch.push(path);
  return path;
}

/** Removes what the syntheses of this test file left. */
export function cleanUp(): void {
  for (const path of scratch.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** Stand-ins for the function bundles: what is in them makes no difference to the template's shape. */
export function bundles(steps: readonly string[]): string {
  const path = temporary();
  for (const step of steps) {
    mkdirSync(join(path, step));
    writeFileSync(join(path, step, 'index.js'), `exports.handler = async () => '${step}';\n`);
  }
  return path;
}

/** Every function that has a contract. */
export const STEPS = [
  'acquire-lease',
  'assess-cluster',
  'begin-init',
  'build-image',
  'check-command',
  'check-server',
  'check-targets',
  'complete-deletion',
  'complete-init',
  'deregister-targets',
  'forget-server',
  'guard-deletion',
  'handle-node-event',
  'launch-server',
  'list-servers',
  'mark-absent',
  'notify',
  'publish-event',
  'register-targets',
  'release-lease',
  'send-command',
  'terminate-server',
] as const;

export interface Synthesis {
  readonly template: Template;
  /** The template as it was written. */
  readonly text: string;
  readonly outdir: string;
}

/** @param settings the content of cluster.json */
export function synth(
  settings: object = {},
  options: { bundles?: string; review?: SynthesisProps['review']; root?: string } = {},
): Synthesis {
  const outdir = temporary();
  const config = parseConfig(settings);
  const assembly = synthesize({
    root: options.root ?? ROOT,
    config,
    bundles: options.bundles ?? bundles(STEPS),
    outdir,
    review: options.review,
  });
  const raw: unknown = assembly.getStackByName(`k3s-${config.name}`).template;
  return { template: TEMPLATE.parse(raw), text: JSON.stringify(raw), outdir };
}

/** The resources of a type, by logical id. */
export function ofType(template: Template, type: string): Map<string, Resource> {
  return new Map(Object.entries(template.Resources).filter(([, resource]) => resource.Type === type));
}

/** The one resource of a type. */
export function only(template: Template, type: string): Resource {
  const [first, ...others] = ofType(template, type).values();
  if (!first || others.length > 0) throw new Error(`there is not exactly one ${type}`);
  return first;
}

/**
 * A value with its intrinsic functions turned into text: `Fn::Join` is carried out, a reference becomes `<id>` or
 * `<id.Attribute>`.
 */
export function text(value: Json | undefined): string {
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(text).join(',');
  const [[key, argument] = ['', null]] = Object.entries(value);
  if (key === 'Ref') return `<${text(argument)}>`;
  if (key === 'Fn::GetAtt' && Array.isArray(argument)) return `<${argument.map(text).join('.')}>`;
  if (key === 'Fn::Join' && Array.isArray(argument)) {
    const [separator, parts] = argument;
    if (Array.isArray(parts)) return parts.map(text).join(text(separator));
  }
  if (key === 'Fn::Sub') return text(argument);
  if (key === 'Fn::Base64') return text(argument);
  return JSON.stringify(value);
}

const LIST_OR_ONE = z
  .union([z.array(JSON_VALUE), JSON_VALUE])
  .transform((value) => (Array.isArray(value) ? value : [value]));
const STATEMENT = z.object({
  Effect: z.literal('Allow'),
  Action: LIST_OR_ONE.transform((actions) => actions.map(text)),
  Resource: LIST_OR_ONE.transform((resources) => resources.map(text)),
  Condition: z.record(z.string(), z.record(z.string(), JSON_VALUE)).default({}),
});
export type Statement = z.output<typeof STATEMENT>;
const DOCUMENT = z.object({ Statement: z.array(STATEMENT) });
const POLICIES = z.array(z.object({ PolicyDocument: DOCUMENT })).default([]);

/** The statements of every role, inline and attached, by the role's logical id. */
export function statementsByRole(template: Template): Map<string, Statement[]> {
  const found = new Map<string, Statement[]>();
  for (const [id, role] of ofType(template, 'AWS::IAM::Role')) {
    found.set(
      id,
      POLICIES.parse(role.Properties.Policies).flatMap((policy) => policy.PolicyDocument.Statement),
    );
  }
  for (const policy of ofType(template, 'AWS::IAM::Policy').values()) {
    const { Roles, PolicyDocument } = z
      .object({ Roles: z.array(z.object({ Ref: z.string() })), PolicyDocument: DOCUMENT })
      .parse(policy.Properties);
    for (const { Ref } of Roles) found.get(Ref)?.push(...PolicyDocument.Statement);
  }
  return found;
}
