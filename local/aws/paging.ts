/** Pages of a list, with tokens that only the embedded AWS understands. */

export interface Page<T> {
  items: T[];
  /** Undefined on the last page. */
  nextToken: string | undefined;
}

/**
 * One page of `all`.
 * @param refuse makes the service's own error for a token that was not issued here.
 */
export function page<T>(all: readonly T[], size: number, token: string | undefined, refuse: () => Error): Page<T> {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0 || start > all.length) throw refuse();
  const end = start + size;
  return {
    items: all.slice(start, end),
    nextToken: end < all.length ? Buffer.from(String(end)).toString('base64url') : undefined,
  };
}
