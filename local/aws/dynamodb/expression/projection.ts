/** Projection expressions, and the partial items they and `UPDATED_*` return values produce. */
import type { AttributeValue, Item } from '../attribute-value';
import type { DocumentPath } from './ast';
import { parsePath, refuseOverlaps, valueAt } from './paths';
import type { Placeholders } from './placeholders';
import { Tokens } from './tokens';

export function parseProjection(source: string, placeholders: Placeholders): DocumentPath[] {
  const tokens = new Tokens(source);
  const paths: DocumentPath[] = [];
  do {
    paths.push(parsePath(tokens, placeholders));
  } while (tokens.takeSymbol(','));
  if (tokens.next.kind !== 'end') throw tokens.syntaxError();
  refuseOverlaps(paths);
  return paths;
}

/** The part of an item that the paths name. Lists keep their order and lose the elements nobody asked for. */
export function project(item: Item, paths: readonly DocumentPath[]): Item {
  const found = paths.flatMap((path) => {
    const value = valueAt(item, path);
    return value ? [{ path, value }] : [];
  });
  const projected = build({ M: item }, found);
  return 'M' in projected ? projected.M : {};
}

interface Found {
  path: DocumentPath;
  value: AttributeValue;
}

function build(source: AttributeValue, found: readonly Found[]): AttributeValue {
  const whole = found.find(({ path }) => path.length === 0);
  if (whole) return structuredClone(whole.value);
  const groups = new Map<string | number, Found[]>();
  for (const { path, value } of found) {
    const [head, ...rest] = path;
    groups.set(head!, [...(groups.get(head!) ?? []), { path: rest, value }]);
  }
  const child = (key: string | number) => {
    const value = valueAt({ source }, ['source', key]);
    return build(value ?? { NULL: true }, groups.get(key)!);
  };
  if ('L' in source) {
    const indices = [...groups.keys()].sort((a, b) => Number(a) - Number(b));
    return { L: indices.map(child) };
  }
  return { M: Object.fromEntries([...groups.keys()].map((key) => [key, child(key)])) };
}
