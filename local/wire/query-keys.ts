import { AwsError } from '../aws/service';

interface Branch {
  value?: string;
  children: Map<string, Branch>;
}

/**
 * Nests the dotted keys of a query request: `Filter.1.Value.2=x` becomes `{ Filter: [{ Value: [‥, 'x'] }] }`, with
 * `member` lists and `entry` maps unwrapped. Every leaf stays a string: the operation's schema coerces.
 *
 * @throws AwsError MalformedQueryString when a key is both a value and a prefix.
 */
export function nest(parameters: Iterable<[string, string]>): unknown {
  const root: Branch = { children: new Map() };
  for (const [key, value] of parameters) {
    let branch = root;
    for (const part of key.split('.')) {
      let child = branch.children.get(part);
      if (!child) {
        child = { children: new Map() };
        branch.children.set(part, child);
      }
      branch = child;
    }
    branch.value = value;
  }
  return unfold(root, '');
}

const NUMERIC = /^\d+$/;

function unfold(branch: Branch, path: string): unknown {
  const { children, value } = branch;
  if (children.size === 0) return value ?? {};
  if (value !== undefined && value !== '') {
    throw new AwsError('MalformedQueryString', `The parameter ${path} is both a value and a structure.`);
  }
  const keys = [...children.keys()];
  const nested = (key: string) => unfold(children.get(key)!, path ? `${path}.${key}` : key);
  if (path && keys.every((key) => NUMERIC.test(key))) {
    return keys.sort((a, b) => Number(a) - Number(b)).map(nested);
  }
  if (keys.length === 1 && keys[0] === 'member') {
    const list = nested('member');
    if (Array.isArray(list)) return list;
  }
  if (keys.length === 1 && keys[0] === 'entry') {
    const entries = nested('entry');
    if (Array.isArray(entries)) return Object.fromEntries(entries.map(entry));
  }
  return Object.fromEntries(keys.map((key) => [key, nested(key)]));
}

/** SNS spells map entries `key`/`value` or `Name`/`Value`, depending on the map. */
function entry(item: unknown): [string, unknown] {
  const { key, value, Name, Value } = item as Record<'key' | 'value' | 'Name' | 'Value', unknown>;
  return [String(key ?? Name), value ?? Value];
}
