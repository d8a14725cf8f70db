/** Deploys a template: parameters, rules and conditions, then every resource after those it needs, then the outputs. */
import { z } from 'zod';
import type { LambdaInvoker } from '../aws/lambda/invoker';
import { AwsError, type Provision, type Provisioned, type Service, type World } from '../aws/service';
import type { Assembly } from './assembly';
import {
  type CustomResourceContext,
  type CustomResourceResponses,
  createCustomResource,
  deleteCustomResource,
  isCustomResource,
} from './custom-resource';
import { DeploymentError, type Place } from './errors';
import { evaluate, evaluateCondition, NO_VALUE, type Scope } from './evaluate';
import { FunctionError, text } from './functions';
import { creationOrder } from './graph';
import { parameterValues } from './parameters';
import { withStackTags } from './tags';
import type { Template } from './template';

export interface DeployedResource extends Provisioned {
  type: string;
  /** As they were resolved. */
  properties: Record<string, unknown>;
}

export interface Stack {
  name: string;
  id: string;
  outputs: Record<string, string>;
  /** By logical id, in the order of their creation. */
  resources: ReadonlyMap<string, DeployedResource>;
  /** Evaluates a template value against the deployed stack. */
  resolve(value: unknown): unknown;
  /**
   * Asks the custom resources to agree to the stack's deletion, the last created first. Nothing else is deleted: the
   * embedded AWS ends with its process.
   *
   * @throws DeploymentError with the reason of the first that refuses
   */
  requestDeletion(): Promise<void>;
}

export interface DeployOptions {
  world: World;
  /** Runs the functions of custom resources. */
  lambda: LambdaInvoker;
  /** Where they answer; the server routes `RESPONSE_PATH` to it. */
  responses: CustomResourceResponses;
  /** `http://127.0.0.1:4566`, without a slash at its end. */
  endpointUrl: string;
  /** Faults of a resource that AWS would accept, found before it is created. */
  review?(properties: Record<string, unknown>): Promise<string[]>;
  /** Parameter values other than the defaults. */
  parameters?: Readonly<Record<string, string>>;
}

const PROPERTIES = z.record(z.string(), z.unknown());

/** Resource types that create nothing. */
const INERT: ReadonlySet<string> = new Set(['AWS::CDK::Metadata']);

/** @throws DeploymentError naming the resource, its type and the property */
export async function deploy(
  { stackName, template, tags }: Pick<Assembly, 'stackName' | 'template' | 'tags'>,
  services: readonly Service[],
  options: DeployOptions,
): Promise<Stack> {
  const { world } = options;
  const id = `arn:aws:cloudformation:${world.region}:${world.account}:stack/${stackName}/${world.random.uuid()}`;
  const provisions = provisionsOf(services);
  const parameters = parameterValues(template, options.parameters ?? {});
  const resources = new Map<string, DeployedResource>();
  const scope = createScope(template, parameters, resources, { name: stackName, id }, world);
  const context: CustomResourceContext = { ...options, stackId: id };
  checkRules(template, scope);

  for (const logicalId of creationOrder(template)) {
    const { Type: type, Properties, Condition } = template.Resources[logicalId]!;
    if (INERT.has(type) || (Condition !== undefined && !scope.condition(Condition))) continue;
    const place = { logicalId, type };
    const properties = withStackTags(type, PROPERTIES.parse(evaluate(Properties, scope, place)), tags);
    const faults = (await options.review?.(properties)) ?? [];
    if (faults.length > 0) throw new DeploymentError(faults.join('; '), place);
    const provisioned = isCustomResource(type)
      ? await createCustomResource({ ...place, properties }, context)
      : await create(provisions.get(type), properties, place);
    resources.set(logicalId, { type, properties, ...provisioned });
  }

  return {
    name: stackName,
    id,
    resources,
    outputs: outputsOf(template, scope),
    resolve: (value) => evaluate(value, scope),
    requestDeletion: async () => {
      const custom = [...resources].filter(([, { type }]) => isCustomResource(type)).reverse();
      for (const [logicalId, { type, properties, ref }] of custom) {
        await deleteCustomResource({ logicalId, type, properties, physicalId: ref }, context);
      }
    },
  };
}

function provisionsOf(services: readonly Service[]): Map<string, Provision> {
  const entries = services.flatMap(({ resources }) => Object.entries(resources));
  const provisions = new Map(entries);
  if (provisions.size < entries.length) throw new Error('two services provision the same resource type');
  return provisions;
}

async function create(
  provision: Provision | undefined,
  properties: Record<string, unknown>,
  place: { logicalId: string; type: string },
): Promise<Provisioned> {
  if (!provision) throw new DeploymentError('this resource type is not modelled', place);
  try {
    return await provision(place.logicalId, properties);
  } catch (error) {
    throw new DeploymentError(reasonOf(error, place), place, { cause: error });
  }
}

function reasonOf(error: unknown, { logicalId, type }: { logicalId: string; type: string }): string {
  if (error instanceof z.ZodError) {
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  }
  const message = error instanceof Error ? error.message : String(error);
  const named = `${logicalId} (${type}): `;
  const plain = message.startsWith(named) ? message.slice(named.length) : message;
  return error instanceof AwsError ? `${error.code}: ${plain}` : plain;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html */
function checkRules({ Rules }: Template, scope: Scope): void {
  for (const [name, { RuleCondition, Assertions }] of Object.entries(Rules)) {
    const place: Place = { logicalId: name, type: 'Rule' };
    if (RuleCondition !== undefined && !evaluateCondition(RuleCondition, scope, place)) continue;
    for (const { Assert, AssertDescription } of Assertions) {
      if (!evaluateCondition(Assert, scope, place)) {
        throw new DeploymentError(AssertDescription ?? 'the assertion does not hold', place);
      }
    }
  }
}

function createScope(
  template: Template,
  parameters: ReadonlyMap<string, unknown>,
  resources: ReadonlyMap<string, DeployedResource>,
  stack: { name: string; id: string },
  world: World,
): Scope {
  const pseudo = new Map<string, unknown>([
    ['AWS::AccountId', world.account],
    ['AWS::Partition', 'aws'],
    ['AWS::Region', world.region],
    ['AWS::StackId', stack.id],
    ['AWS::StackName', stack.name],
    ['AWS::URLSuffix', 'amazonaws.com'],
    ['AWS::NotificationARNs', []],
  ]);
  const conditions = new Map<string, boolean>();
  const resource = (logicalId: string): DeployedResource => {
    const found = resources.get(logicalId);
    if (found) return found;
    const exists = Object.hasOwn(template.Resources, logicalId);
    throw new FunctionError(
      `${logicalId} ${exists ? 'is not created, its condition does not hold' : 'does not exist'}`,
    );
  };
  const scope: Scope = {
    ref: (name) => {
      for (const known of [pseudo, parameters]) if (known.has(name)) return known.get(name);
      return resource(name).ref;
    },
    attribute: (logicalId, name) => {
      const { attributes, type } = resource(logicalId);
      if (!Object.hasOwn(attributes, name)) throw new FunctionError(`${logicalId} (${type}) has no attribute ${name}`);
      return attributes[name];
    },
    condition: (name) => {
      const known = conditions.get(name);
      if (known !== undefined) return known;
      const definition = template.Conditions[name];
      if (definition === undefined) throw new DeploymentError(`the condition ${name} does not exist`);
      const holds = evaluateCondition(definition, scope, { logicalId: name, type: 'Condition' });
      conditions.set(name, holds);
      return holds;
    },
    mapping: (map, key, name) => {
      const value = template.Mappings[map]?.[key]?.[name];
      if (value === undefined) throw new FunctionError(`the mapping ${map}.${key}.${name} does not exist`);
      return value;
    },
    zones: (region) => {
      if (region !== '' && region !== world.region) throw new FunctionError(`the zones of ${region} are not known`);
      return world.zones;
    },
  };
  return scope;
}

function outputsOf({ Outputs }: Template, scope: Scope): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Outputs)
      .filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition))
      .map(([name, { Value }]) => {
        const place = { logicalId: name, type: 'Output' };
        const value = evaluate(Value, scope, place);
        if (value === NO_VALUE || typeof value === 'object') throw new DeploymentError('must be a string', place);
        return [name, text(value)];
      }),
  );
}
