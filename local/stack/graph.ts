/** Which resource needs which, and the order in which they can be created. */
import { DeploymentError } from './errors';
import type { Template } from './template';

/**
 * The names that a template value refers to through Ref, Fn::GetAtt and Fn::Sub: resources, parameters and pseudo
 * parameters alike.
 */
export function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    if (key === 'Ref' && typeof item === 'string') return [item];
    if (key === 'Fn::GetAtt')
      return [String(typeof item === 'string' ? item.split('.')[0] : Array.isArray(item) ? item[0] : '')];
    if (key === 'Fn::Sub') return [...substituted(item), ...references(item)];
    return references(item);
  });
}

function substituted(argument: unknown): string[] {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  if (typeof template !== 'string') return [];
  const own = new Set(Object.keys(variables ?? {}));
  return [...template.matchAll(/\$\{([^!}][^}]*)\}/g)]
    .map(([, inner = '']) => inner.trim())
    .filter((name) => !own.has(name))
    .map((name) => name.split('.')[0]!);
}

/**
 * Every resource after those it needs, otherwise in the template's order.
 *
 * @throws DeploymentError naming the resources of a cycle, or a dependency that does not exist
 */
export function creationOrder({ Resources }: Pick<Template, 'Resources'>): string[] {
  const order: string[] = [];
  const done = new Set<string>();
  const visit = (logicalId: string, path: readonly string[]) => {
    if (done.has(logicalId)) return;
    const start = path.indexOf(logicalId);
    if (start >= 0) {
      throw new DeploymentError(
        `circular dependency between resources: ${[...path.slice(start), logicalId].join(' → ')}`,
      );
    }
    const { Type, Properties, DependsOn } = Resources[logicalId]!;
    const missing = DependsOn.find((name) => !Object.hasOwn(Resources, name));
    if (missing) {
      throw new DeploymentError(`depends on ${missing}, which does not exist`, {
        logicalId,
        type: Type,
        property: 'DependsOn',
      });
    }
    for (const name of [...DependsOn, ...references(Properties)]) {
      if (Object.hasOwn(Resources, name)) visit(name, [...path, logicalId]);
    }
    done.add(logicalId);
    order.push(logicalId);
  };
  for (const logicalId of Object.keys(Resources)) visit(logicalId, []);
  return order;
}
