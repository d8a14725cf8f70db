/** What begins with this look: suspicions and replacements, told before anything is done about them. */
import { isReplacement } from '../cluster/judgement';
import { label } from '../cluster/names';
import type { Observation, Replacement, SlotRecord, Suspicion } from '../cluster/observation';
import type { Plan } from '../cluster/planner';
import type { Verdict } from '../cluster/verdict';
import type { ClusterEvent } from '../events';

/** What every event says. */
export interface Teller {
  cluster: string;
  execution: string;
}

/** Events for the servers that nothing spoke against at the look before. */
export function suspicionsThatBegin(
  { at, cluster, slots }: Observation,
  next: { slot: number; suspicion: Suspicion | null }[],
  { reason, action }: Verdict,
  teller: Teller,
): ClusterEvent[] {
  return next.flatMap(({ slot, suspicion }): ClusterEvent[] => {
    const former = slots.find((record) => record.slot === slot)?.suspicion;
    if (!suspicion || former?.instanceId === suspicion.instanceId) return [];
    const { instanceId, since, signals } = suspicion;
    return [
      {
        detailType: 'Node Suspected',
        detail: {
          ...teller,
          incident: `suspected/${instanceId}/${since}`,
          slot,
          instanceId,
          since,
          signals,
          reason: `${label({ slot, instanceId })} has ${signals.join(' and ')}`,
          decision: `${action}: ${reason}`,
          todo: 'nothing',
          paused: cluster.paused,
          at,
        },
      },
    ];
  });
}

/**
 * The replacements that this plan begins. One that an earlier execution began goes on: its successor may have failed, and
 * what is being replaced is still the server that had joined. And none begins with a spare that is given up while the server
 * that it was launched for stays.
 * @param noticedAt when the trouble was first told of, epoch ms; null when nobody was told
 */
export function replacementsThatBegin(
  { at, slots }: Observation,
  { action, plan, reason: decision }: Verdict,
  noticedAt: number | null,
): (Replacement & { slot: number })[] {
  if (action !== 'converge') return [];
  return plan.retire.flatMap(({ slot, instanceId, kind, member, reason }) => {
    const record = slots.find((candidate) => candidate.slot === slot);
    if (!record || !isReplacement(kind) || !isEldest(record, instanceId, plan)) return [];
    if (record.replacing && (record.replacing.instanceId === instanceId || kind === 'failed' || !member)) return [];
    const suspicion = record.suspicion?.instanceId === instanceId ? record.suspicion : null;
    const since = Math.min(suspicion?.since ?? noticedAt ?? at, at);
    return [{ slot, instanceId, since, startedAt: at, reason, decision }];
  });
}

/** No older server of its slot stays. */
function isEldest({ instances }: SlotRecord, instanceId: string, { retire }: Plan): boolean {
  const own = instances.find((instance) => instance.instanceId === instanceId);
  return !instances.some(
    (other) =>
      own !== undefined &&
      other.generation < own.generation &&
      !retire.some((leaving) => leaving.instanceId === other.instanceId),
  );
}

export function replacementStarted(
  { slot, instanceId, since, startedAt, reason, decision }: Replacement & { slot: number },
  paused: boolean,
  teller: Teller,
): ClusterEvent {
  return {
    detailType: 'Replacement Started',
    detail: {
      ...teller,
      incident: `replacing/${instanceId}`,
      slot,
      instanceId,
      since,
      reason: `${label({ slot, instanceId })} ${reason}`,
      decision,
      todo: 'nothing',
      paused,
      at: startedAt,
    },
  };
}
