import { AwsError } from '../service';
import type { Filters } from './schema';

/** What a filter name reads of a resource; several values when any of them may match. */
export type FilterFields<T> = Record<string, (resource: T) => string | string[] | undefined>;

/**
 * Keeps the resources that satisfy every filter; one of a filter's values is enough, `*` and `?` are wildcards.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 *
 * @throws AwsError InvalidParameterValue for a filter that is not modelled
 */
export function filter<T extends { tags: ReadonlyMap<string, string> }>(
  resources: T[],
  filters: Filters,
  fields: FilterFields<T>,
): T[] {
  const tests = filters.map(({ Name, Value }) => {
    const patterns = Value.map(wildcards);
    const read = reader(Name, fields);
    return (resource: T) => {
      const values = [read(resource) ?? []].flat();
      return values.some((value) => patterns.some((pattern) => pattern.test(value)));
    };
  });
  return resources.filter((resource) => tests.every((test) => test(resource)));
}

function reader<T extends { tags: ReadonlyMap<string, string> }>(name: string, fields: FilterFields<T>) {
  if (name === 'tag-key') return (resource: T) => [...resource.tags.keys()];
  if (name.startsWith('tag:')) return (resource: T) => resource.tags.get(name.slice('tag:'.length));
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field) throw new AwsError('InvalidParameterValue', `The filter '${name}' is invalid`);
  return field;
}

function wildcards(value: string): RegExp {
  const source = value
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

/**
 * One page of a list whose order never changes. The token is the key of the last item of the page before: items may be
 * added between two pages, and a token whose item is gone has expired.
 *
 * @throws AwsError InvalidParameterValue
 */
export function page<T>(
  items: T[],
  key: (item: T) => string,
  { MaxResults, NextToken }: { MaxResults?: number; NextToken?: string },
): { items: T[]; nextToken?: string } {
  let from = 0;
  if (NextToken !== undefined) {
    const last = Buffer.from(NextToken, 'base64url').toString('utf8');
    from = items.findIndex((item) => key(item) === last) + 1;
    if (from === 0) throw new AwsError('InvalidParameterValue', `Unable to parse pagination token '${NextToken}'`);
  }
  const rest = items.slice(from);
  if (MaxResults === undefined || rest.length <= MaxResults) return { items: rest };
  const slice = rest.slice(0, MaxResults);
  return { items: slice, nextToken: Buffer.from(key(slice.at(-1)!)).toString('base64url') };
}
