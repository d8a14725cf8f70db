/** Patterns of policies: `*` is any text, `?` any one character. */

export type Matches = (text: string) => boolean;

/**
 * Compiles a pattern, so that the usual ones (a literal, `*`, a prefix) cost no regular expression.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 * @throws Error for a policy variable, `${…}`, which is not modelled
 */
export function compileGlob(pattern: string): Matches {
  if (pattern.includes('${')) throw new Error(`policy variables are not modelled: ${pattern}`);
  const wild = pattern.search(/[*?]/);
  if (wild < 0) return (text) => text === pattern;
  if (pattern === '*') return () => true;
  if (wild === pattern.length - 1 && pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1);
    return (text) => text.startsWith(prefix);
  }
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
  return (text) => expression.test(text);
}

/** Whether there is a text that matches both patterns. */
export function globsMeet(one: string, other: string): boolean {
  // met[j]: the part of `one` so far and the first j characters of `other` have a text in common.
  let met = Array.from({ length: other.length + 1 }, (_, j) => /^\**$/.test(other.slice(0, j)));
  for (const character of one) {
    const before = met;
    met = [character === '*' && before[0] === true];
    for (let j = 1; j <= other.length; j++) {
      const against = other[j - 1]!;
      if (character === '*' || against === '*')
        met[j] = before[j] === true || met[j - 1] === true || before[j - 1] === true;
      else met[j] = before[j - 1] === true && (character === against || character === '?' || against === '?');
    }
  }
  return met[other.length] === true;
}
