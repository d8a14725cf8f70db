/**
 * Servers that left although their slot needed one: they bound the replacements per hour, and those that never joined let
 * the next launches wait (safety rule 8).
 */
import { isReplacement, type RetirementKind } from './judgement';
import type { ClusterRecord, Departure, Observation } from './observation';

const HOUR_MS = 3_600_000;

/**
 * What is to be remembered of a server that is forgotten; null when it was not needed any more.
 * @param at epoch ms
 */
export function departureOf(
  instanceId: string,
  kind: RetirementKind,
  cluster: ClusterRecord | null,
  at: number,
): Departure | null {
  if (!isReplacement(kind)) return null;
  // What dies while a cluster is being created is replaced until it is there.
  const counts = cluster?.desired === 'present' && cluster.phase.name === 'initialised';
  return { instanceId, at, failed: kind === 'failed', incarnation: counts ? cluster.incarnation : null };
}

/** Of the last hour: nothing depends on an older one. */
export function isRecent(departure: Departure, at: number): boolean {
  return departure.at > at - HOUR_MS;
}

/** When machines were given up in the last hour because they did not join, epoch ms, oldest first. */
export function recentFailures(departures: Departure[], at: number): number[] {
  return timesOf(departures.filter((departure) => departure.failed && isRecent(departure, at)));
}

/** When servers of this life of the cluster were replaced in the last hour, epoch ms, oldest first. */
export function recentReplacements({ at, cluster, slots }: Observation): number[] {
  const departures = slots.flatMap((slot) => slot.departures);
  return timesOf(
    departures.filter((departure) => departure.incarnation === cluster.incarnation && isRecent(departure, at)),
  );
}

function timesOf(departures: Departure[]): number[] {
  return departures.map(({ at }) => at).sort((a, b) => a - b);
}
