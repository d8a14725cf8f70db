import * as z from 'zod';

const word = (pattern: RegExp, what: string) => z.string().regex(pattern, { error: `must be ${what}` });

/**
 * What every object has; the rest of it is the object's own. What identifies it becomes a line of a list and an argument of
 * kubectl, so it is no more than Kubernetes' own names need.
 */
export const OBJECT = z.looseObject({
  apiVersion: word(/^[a-z0-9.-]+(\/[a-z0-9]+)?$/, 'a version such as "v1" or "apps/v1"'),
  kind: word(/^[A-Z][A-Za-z0-9]*$/, 'a kind such as "ConfigMap"'),
  metadata: z.looseObject({
    name: word(/^[A-Za-z0-9][\w.:-]*$/, 'a name of letters, digits, dots, colons and hyphens'),
    namespace: word(
      /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
      'a namespace of lower-case letters, digits and hyphens',
    ).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});
export type KubernetesObject = z.output<typeof OBJECT>;

/** Parses part of an object. Throws naming what it was and each fault. */
export function as<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
  throw new Error(`${what} is not valid: ${faults.join('; ')}`);
}

/** How messages call an object. */
export function label({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.name}`;
}

/**
 * What an object is, whatever it holds: two with the same identity are one in the cluster. `Deployment.apps nginx-demo
 * nginx-demo`; `-` stands for no namespace, and for `default`, because nothing here tells which of the two an object
 * without a namespace means.
 */
export function identity({ apiVersion, kind, metadata }: KubernetesObject): string {
  const [group, version] = apiVersion.split('/');
  const namespace = metadata.namespace ?? 'default';
  return `${version === undefined ? kind : `${kind}.${group}`} ${namespace === 'default' ? '-' : namespace} ${metadata.name}`;
}
