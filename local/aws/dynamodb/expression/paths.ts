/** Document paths: parsing them, and reading what they name. */
import type { AttributeValue, Item } from '../attribute-value';
import { isReserved } from '../reserved-words';
import { type DocumentPath, showPath } from './ast';
import { ExpressionError } from './error';
import type { Placeholders } from './placeholders';
import type { Tokens } from './tokens';

/** Parses `a.#b[3].c`. Reserved words are refused wherever they stand bare in a path. */
export function parsePath(tokens: Tokens, placeholders: Placeholders): DocumentPath {
  const path: (string | number)[] = [parseElement(tokens, placeholders)];
  for (;;) {
    if (tokens.takeSymbol('.')) {
      path.push(parseElement(tokens, placeholders));
    } else if (tokens.takeSymbol('[')) {
      if (tokens.next.kind !== 'number') throw tokens.syntaxError();
      path.push(Number(tokens.advance().text));
      tokens.expectSymbol(']');
    } else {
      return path;
    }
  }
}

function parseElement(tokens: Tokens, placeholders: Placeholders): string {
  const { kind, text } = tokens.next;
  if (kind !== 'word' && kind !== 'name') throw tokens.syntaxError();
  tokens.advance();
  if (kind === 'name') return placeholders.name(text);
  if (isReserved(text)) {
    throw new ExpressionError(`Attribute name is a reserved keyword; reserved keyword: ${text}`);
  }
  return text;
}

/** The value at a path; undefined when any part of it is missing or not the kind of container the path expects. */
export function valueAt(item: Item, path: DocumentPath): AttributeValue | undefined {
  return path.reduce<AttributeValue | undefined>((container, part) => container && member(container, part), {
    M: item,
  });
}

function member(container: AttributeValue, part: string | number): AttributeValue | undefined {
  if (typeof part === 'number') return 'L' in container ? container.L[part] : undefined;
  return 'M' in container && Object.hasOwn(container.M, part) ? container.M[part] : undefined;
}

/** Two paths of one expression may neither contain one another nor treat the same place as both map and list. */
export function refuseOverlaps(paths: readonly DocumentPath[]): void {
  paths.forEach((path, index) => {
    for (const earlier of paths.slice(0, index)) checkPair(earlier, path);
  });
}

function checkPair(one: DocumentPath, two: DocumentPath): void {
  const complain = (how: string) =>
    new ExpressionError(
      `Two document paths ${how} with each other; must remove or rewrite one of these paths; ` +
        `path one: ${showPath(one)}, path two: ${showPath(two)}`,
    );
  for (let index = 0; index < Math.min(one.length, two.length); index++) {
    if (typeof one[index] !== typeof two[index]) throw complain('conflict');
    if (one[index] !== two[index]) return;
  }
  throw complain('overlap');
}
