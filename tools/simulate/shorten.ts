/** The shortest story of a failure: what can be left out while the same rule is still broken. */
import type { Simulation } from '../../test/simulation/simulate';

/**
 * @param failed the whole story
 * @param run lives the same life with these happenings only
 */
export async function shorten(failed: Simulation, run: (only: string[]) => Promise<Simulation>): Promise<Simulation> {
  const invariant = failed.violations[0]?.invariant;
  let shortest = failed;
  // What came last is the likeliest to matter: the first ones are left out first, many at once, then fewer.
  for (let size = Math.ceil(failed.happened.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < shortest.happened.length; ) {
      const only = shortest.happened.filter((_, index) => index < from || index >= from + size);
      const shorter = await run(only);
      if (shorter.violations[0]?.invariant === invariant) shortest = shorter;
      else from += size;
    }
  }
  return shortest;
}
