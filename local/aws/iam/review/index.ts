/**
 * Finds statements that could never do what they say: AWS accepts them, and they silently match nothing. Judged by the
 * service authorization reference, action by action.
 */
import { type OperatorName, parseOperator } from '../condition';
import { globsMeet } from '../glob';
import type { Statement } from '../policy';
import { statementsIn } from './documents';
import { isModelled } from './modelled';
import { type Action, actionsOf, isGlobal, isKey, type ResourceType, typeOfKey } from './reference';

/** A condition of a statement that fails for requests without its key. */
interface Demand {
  operator: OperatorName;
  key: string;
}

/** An action and a resource of a statement that belong together, with the types of resource that they meet in. */
interface Pair {
  action: Action;
  resource: string;
  types: readonly ResourceType[];
}

/** What is wrong with the policies in the resolved properties of a resource, each fault naming its statement. */
export async function reviewPolicies(properties: Record<string, unknown>): Promise<string[]> {
  const reviewed = statementsIn(properties).map(async ({ path, statement }) => {
    const where = statement.Sid === undefined ? path : `${path} (${statement.Sid})`;
    return (await review(statement)).map((fault) => `${where}: ${fault}`);
  });
  return (await Promise.all(reviewed)).flat();
}

/** What is wrong with a statement, each fault naming the element that matches nothing. */
export async function review(statement: Statement): Promise<string[]> {
  const { Action = [] } = statement;
  const named = await Promise.all(Action.map(async (pattern) => ({ pattern, actions: await actionsOf(pattern) })));
  const unknown = named.filter(({ pattern, actions }) => pattern !== '*' && actions.length === 0);
  const known = named.filter(({ actions }) => actions.length > 0);
  const demands = demandsOf(statement);
  const all = known.flatMap(({ actions }) => actions);
  const misuse = await Promise.all(demands.map((demand) => misused(demand, all)));
  return [
    ...unknown.map(({ pattern }) => `${pattern} is no action of AWS`),
    ...demands.filter(({ key }) => !isModelled(key)).map(({ key }) => `the embedded AWS does not fill in ${key}`),
    ...misuse.flat(),
    ...strays(statement, known, demands),
  ];
}

/** Actions, resources and condition keys of a statement that have nothing to do with each other. */
function strays(
  // A trust policy has no resource: it is about the role that it belongs to.
  { Resource = ['*'] }: Statement,
  named: readonly { pattern: string; actions: readonly Action[] }[],
  demands: readonly Demand[],
): string[] {
  const actions = named.flatMap((each) => each.actions);
  if (actions.length === 0) return [];
  const pairs = actions.flatMap((action) => Resource.flatMap((resource) => pair(action, resource) ?? []));
  const fault = (name: string, stray: string, concerns: (met: Pair) => boolean): string[] => {
    const own = pairs.filter(concerns);
    if (own.length === 0) return [stray];
    if (own.some((met) => demands.every(({ key }) => hasKey(met, key)))) return [];
    const missing = demands.filter(({ key }) => !own.some((met) => hasKey(met, key))).map(({ key }) => key);
    const keys = missing.length > 0 ? missing.join(' or ') : `all of ${demands.map(({ key }) => key).join(', ')}`;
    return [`no request about ${name} has ${keys}`];
  };
  return [
    // One of a pattern's actions has to be of use, not each.
    ...named.flatMap(({ pattern, actions: own }) =>
      fault(pattern, strayAction(own), ({ action }) => own.includes(action)),
    ),
    ...Resource.flatMap((resource) =>
      fault(
        resource,
        `no action of the statement takes a resource like ${resource}`,
        (met) => met.resource === resource,
      ),
    ),
  ];
}

function strayAction([action, ...others]: readonly Action[]): string {
  const { name = '', types = [] } = action ?? {};
  const who = others.length === 0 ? name : `${name}, …`;
  return types.length === 0
    ? `${who} takes no resource: it can only be granted on *`
    : `${who} takes no resource of the statement, but ${types.map(({ arn }) => arn).join(', ')}`;
}

function pair(action: Action, resource: string): Pair | undefined {
  const types = action.types.filter(({ arn }) => arnsMeet(resource, arn));
  return types.length > 0 || (action.types.length === 0 && resource === '*') ? { action, resource, types } : undefined;
}

/** Component by component, so that a wildcard of the reference does not reach over a colon; its last component may. */
function arnsMeet(resource: string, arn: string): boolean {
  const components = (text: string) => {
    const parts = text.split(':');
    return [...parts.slice(0, 5), parts.slice(5).join(':')];
  };
  if (resource.split(':').length < 6) return globsMeet(resource, arn);
  const of = components(arn);
  return components(resource).every((component, index) => globsMeet(component, of[index] ?? ''));
}

function demandsOf({ Condition = {} }: Statement): Demand[] {
  return Object.entries(Condition)
    .map(([name, keys]) => ({ operator: parseOperator(name), keys: Object.keys(keys) }))
    .filter(({ operator }) => operator.operator !== 'Null' && !operator.ifExists)
    .flatMap(({ operator, keys }) => keys.map((key) => ({ operator, key })));
}

const hasKey = ({ action, types }: Pair, key: string): boolean =>
  isGlobal(key) || [action.keys, ...types.map(({ keys }) => keys)].flat().some((known) => isKey(key, known));

/** These are lists because a rule's pattern can name several; an entry of PutEvents has one of each. */
const ONE_PER_ENTRY = ['events:source', 'events:detail-type'];

/** Whether the operator fits the values of its key. */
async function misused({ operator, key }: Demand, actions: readonly Action[]): Promise<string[]> {
  const types = await Promise.all(actions.map((action) => typeOfKey(key, action)));
  const type = types.find((known) => known !== undefined);
  if (type === undefined) return [];
  const name = operator.operator;
  if (type.startsWith('ArrayOf') && !operator.set && !ONE_PER_ENTRY.includes(key)) {
    return [`${key} has several values: ${name} needs ForAllValues or ForAnyValue`];
  }
  if (type === 'Numeric' && !name.startsWith('Numeric')) return [`${key} is a number: ${name} does not fit`];
  if (type === 'Bool' && name !== 'Bool') return [`${key} is true or false: ${name} does not fit`];
  return [];
}
