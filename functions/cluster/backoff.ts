/** Machines that do not join, one after the other, are launched less and less often (safety rule 8). */
import { recentFailures } from './departures';
import { DEFAULT_LIMITS, type Limits } from './limits';
import type { Departure } from './observation';

const LONGEST_SECONDS = 900;

/**
 * From when on the next machine of a slot may be launched, epoch ms. After one failure at once, because the machine may
 * have been at fault; after several within the hour the fault lies elsewhere and each launch only costs.
 * @param departures from this slot
 * @param failing a machine of the slot is being given up right now
 */
export function nextLaunchAt(
  departures: Departure[],
  failing: boolean,
  at: number,
  limits: Limits = DEFAULT_LIMITS,
): number {
  const recent = [...recentFailures(departures, at), ...(failing ? [at] : [])];
  const last = recent.at(-1);
  if (recent.length < 2 || last === undefined) return at;
  return last + Math.min(limits.backoffSeconds * 2 ** (recent.length - 2), LONGEST_SECONDS) * 1000;
}
