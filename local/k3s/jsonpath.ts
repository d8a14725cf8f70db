/**
 * kubectl's JSONPath (https://kubernetes.io/docs/reference/kubectl/jsonpath/): fields with escaped dots, `[*]`, `[n]`,
 * `['name']`, filters on equality, `..name` not; templates with `{…}`, `{range …}…{end}` and quoted text.
 */

export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

type Step =
  | { kind: 'field'; name: string }
  | { kind: 'all' }
  | { kind: 'index'; index: number }
  | { kind: 'filter'; path: Step[]; operator: '==' | '!='; value: string };

/** All values at a path such as `.status.conditions[?(@.type=="Ready")].status`. */
export function valuesAt(root: unknown, path: string): unknown[] {
  return follow([root], parsePath(path));
}

/** A template, as `-o jsonpath=` takes it. */
export function evaluate(template: string, root: unknown): string {
  const { output, rest } = render(template, root, [root], false);
  if (rest !== '') throw new JsonPathError(`error parsing jsonpath ${template}: unexpected {end}`);
  return output;
}

/** How a value is printed: texts as they are, everything else as JSON. */
export function print(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function render(
  template: string,
  root: unknown,
  current: unknown[],
  nested: boolean,
): { output: string; rest: string } {
  let output = '';
  let rest = template;
  while (rest !== '') {
    const open = rest.indexOf('{');
    if (open < 0) return { output: output + rest, rest: '' };
    output += rest.slice(0, open);
    const close = closing(rest, open);
    const expression = rest.slice(open + 1, close).trim();
    rest = rest.slice(close + 1);
    if (expression === 'end') {
      if (!nested) throw new JsonPathError('error parsing jsonpath: not in range');
      return { output, rest };
    }
    if (expression.startsWith('range ')) {
      let after = rest;
      const items = follow(current, parsePath(expression.slice(6).trim()));
      for (const item of items) {
        const inner = render(rest, root, [item], true);
        output += inner.output;
        after = inner.rest;
      }
      rest = items.length > 0 ? after : render(rest, root, [], true).rest;
    } else if (/^".*"$/s.test(expression)) {
      output += unquote(expression);
    } else {
      output += follow(current, parsePath(expression)).map(print).join(' ');
    }
  }
  if (nested) throw new JsonPathError('error parsing jsonpath: unclosed range, missing {end}');
  return { output, rest };
}

function closing(text: string, open: number): number {
  let quote = '';
  for (let index = open + 1; index < text.length; index++) {
    const character = text[index]!;
    if (quote) {
      if (character === '\\') index++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '}') return index;
  }
  throw new JsonPathError('error parsing jsonpath: unclosed action');
}

function unquote(text: string): string {
  const escapes: Record<string, string> = { n: '\n', t: '\t' };
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, character: string) => escapes[character] ?? character);
}

const FIELD = /^\.?((?:\\.|[^.[\]\\ ])+)/;
const BRACKET = /^\[(?:(\*)|(-?\d+)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/;
const FILTER = /^\[\?\(\s*@((?:\.(?:\\.|[\w-])+|\['[^']*'\])+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\)\]/;

function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  let rest = path.replace(/^[$@]/, '');
  const fail = () => new JsonPathError(`error parsing jsonpath ${path}: the model of kubectl does not know ${rest}`);
  if (rest.includes('..')) throw fail();
  while (rest !== '' && rest !== '.') {
    const filter = FILTER.exec(rest);
    const bracket = filter ? null : BRACKET.exec(rest);
    const field = filter || bracket ? null : FIELD.exec(rest);
    if (filter) {
      const value = filter[3] ?? filter[4] ?? filter[5] ?? '';
      steps.push({ kind: 'filter', path: parsePath(filter[1]!), operator: filter[2] === '!=' ? '!=' : '==', value });
    } else if (bracket) {
      const name = bracket[3] ?? bracket[4];
      if (bracket[1]) steps.push({ kind: 'all' });
      else if (bracket[2]) steps.push({ kind: 'index', index: Number(bracket[2]) });
      else steps.push({ kind: 'field', name: name ?? '' });
    } else if (field) {
      const name = field[1]!.replaceAll(/\\(.)/g, '$1');
      steps.push(name === '*' ? { kind: 'all' } : { kind: 'field', name });
    } else throw fail();
    rest = rest.slice((filter ?? bracket ?? field)![0].length);
  }
  return steps;
}

function follow(values: unknown[], steps: readonly Step[]): unknown[] {
  let current = values;
  for (const step of steps) current = current.flatMap((value) => take(value, step));
  return current;
}

function take(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'field': {
      const found = isMap(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
      return found === undefined || found === null ? [] : [found];
    }
    case 'all':
      if (Array.isArray(value)) return value;
      return isMap(value) ? Object.values(value) : [];
    case 'index': {
      if (!Array.isArray(value)) return [];
      const found: unknown = value.at(step.index);
      return found === undefined ? [] : [found];
    }
    case 'filter':
      if (!Array.isArray(value)) return [];
      return value.filter((item) => {
        const equal = follow([item], step.path).some((found) => String(found) === step.value);
        return step.operator === '==' ? equal : !equal;
      });
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
