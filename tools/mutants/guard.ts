/**
 * A guard of the product, and what the product looks like without it. Guards are taken out of the source text itself, so
 * that the product has no switch for it.
 */
export interface Guard {
  /** Kebab-case, unique. */
  name: string;
  /** The safety rules of docs/reliability.md that it serves. */
  rules: readonly number[];
  /** What happens without it; completes "without it, …". */
  without: string;
  /** From the root of the project. */
  file: string;
  /** As it stands in the file, exactly once. */
  before: string;
  after: string;
  /** What else changes with it in the same file, for instance because a state must stay reachable. */
  also?: readonly { before: string; after: string }[];
  /** How the paths of the test files that are to notice begin. */
  tests: readonly string[];
}

/** The text of a guard is not in its file any more, or more than once: the list has to follow the source. */
export class GuardNotFound extends Error {
  override readonly name = 'GuardNotFound';
}

/**
 * The source without the guard. White space in a guard stands for any: indentation may change.
 * @throws GuardNotFound
 */
export function removeGuard(source: string, { name, file, before, after, also = [] }: Guard): string {
  let text = source;
  for (const edit of [{ before, after }, ...also]) {
    const pattern = new RegExp(edit.before.split(/\s+/).map(literally).join('\\s+'), 'g');
    const found = text.match(pattern)?.length ?? 0;
    if (found !== 1) {
      const times = found === 0 ? 'nowhere' : `${found} times`;
      throw new GuardNotFound(
        `${name}: its text stands ${times} in ${file}, it must stand there once:\n${edit.before}`,
      );
    }
    text = text.replace(pattern, () => edit.after);
  }
  return text;
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
