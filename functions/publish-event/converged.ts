/** What there is to tell of an execution that left a whole cluster. */
import type * as z from 'zod/mini';
import { type Concern, incidentOf, TODO } from '../cluster/concern';
import { label, serverName } from '../cluster/names';
import type { ClusterRecord, Replacement, SlotRecord } from '../cluster/observation';
import type { Healing } from '../cluster/triage';
import type { ClusterEvent, Stages } from '../events';
import type { Input } from './contract';

export type Converged = Extract<z.infer<typeof Input>['outcome'], { status: 'converged' }>;

/** What the table remembers of what went before. */
export interface Memory {
  cluster: ClusterRecord;
  slots: SlotRecord[];
  healing: Healing;
}

/** What every event of one execution says. */
export interface Teller {
  cluster: string;
  execution: string;
  paused: boolean;
  /** Epoch ms. */
  at: number;
}

/**
 * That the cluster was created; else one event per server that was replaced; else that it is whole again, when that is
 * news. And one for what deserves a look all the same. Nothing, when nothing was to be done.
 */
export function convergedEvents(outcome: Converged, memory: Memory, teller: Teller): ClusterEvent[] {
  const { concern } = outcome;
  const good = created(outcome, memory, teller) ?? replacements(outcome, memory, teller);
  const news = good.length > 0 ? good : recovery(outcome, memory, teller);
  return concern ? [...news, degraded(concern, outcome, teller)] : news;
}

/** Null: that was told. Machines that failed on the way are part of the creation. */
function created(outcome: Converged, { cluster, healing }: Memory, teller: Teller): ClusterEvent[] | null {
  if (healing.announced === cluster.incarnation) return null;
  return [ready(`ready/${cluster.incarnation}`, `created the cluster: ${outcome.cause}`, outcome, teller)];
}

function replacements(outcome: Converged, { slots }: Memory, teller: Teller): ClusterEvent[] {
  return slots.flatMap(({ slot, replacing }) => {
    const server = outcome.servers.find((candidate) => candidate.slot === slot);
    if (!replacing || !server || server.instanceId === replacing.instanceId) return [];
    return [replaced(slot, replacing, server.instanceId, outcome, teller)];
  });
}

/** Nothing was replaced, and yet something is better than it was. */
function recovery(outcome: Converged, { slots, healing }: Memory, teller: Teller): ClusterEvent[] {
  const spared = slots.filter(({ replacing }) => replacing);
  if (spared.length > 0) {
    const names = spared.map(({ slot }) => serverName(slot)).join(', ');
    const which = spared.map(({ replacing }) => `${replacing?.instanceId}/${replacing?.startedAt}`).join('+');
    return [ready(`recovered/${which}`, `${names} recovered by itself and was not replaced`, outcome, teller)];
  }
  if (outcome.concern) return [];
  if (healing.refusal) {
    const { incident, at } = healing.refusal;
    return [ready(`resolved/${incident}/${at}`, `${incident} is over`, outcome, teller)];
  }
  if (!outcome.changed || outcome.origin !== 'healer') return [];
  const decision = `repaired without replacing a server: ${outcome.cause}`;
  return [ready(`repaired/${teller.execution}`, decision, outcome, teller)];
}

function ready(incident: string, decision: string, { reason, servers }: Converged, teller: Teller): ClusterEvent {
  return {
    detailType: 'Cluster Ready',
    detail: { ...teller, incident, reason, decision, todo: 'nothing', servers: servers.length },
  };
}

function replaced(
  slot: number,
  replacing: Replacement,
  newInstanceId: string,
  outcome: Converged,
  teller: Teller,
): ClusterEvent {
  const { instanceId, since, reason, decision } = replacing;
  return {
    detailType: 'Node Replaced',
    detail: {
      ...teller,
      incident: `replaced/${instanceId}`,
      slot,
      instanceId,
      newInstanceId,
      since,
      seconds: stages(replacing, outcome, teller.at),
      reason: `${label({ slot, instanceId })} ${reason}`,
      decision,
      todo: 'nothing',
    },
  };
}

/** Each stage ends where the next begins; a moment that nobody noted is the one before it. */
function stages({ since, startedAt }: Replacement, { launchedAt, joinedAt }: Converged, at: number): Stages {
  const moments: number[] = [];
  for (const moment of [since, startedAt, launchedAt, joinedAt, at]) {
    const last = moments.at(-1) ?? 0;
    moments.push(Math.min(Math.max(moment ?? last, last), at));
  }
  const seconds = moments.map((moment) => Math.round((moment - since) / 1000));
  const [, detected = 0, launched = 0, joined = 0, total = 0] = seconds;
  return {
    detect: detected,
    launch: launched - detected,
    join: joined - launched,
    inService: total - joined,
    total,
  };
}

function degraded(concern: Concern, { reason }: Converged, teller: Teller): ClusterEvent {
  return {
    detailType: 'Cluster Degraded',
    detail: {
      ...teller,
      ...subject(concern),
      incident: incidentOf(concern),
      reason,
      decision: 'nothing is done: every server does its work',
      todo: TODO[concern.code],
    },
  };
}

/** The server of a concern, where there is one. */
export function subject({ slot, instanceId }: Concern): { slot?: number; instanceId?: string } {
  return { ...(slot === null ? {} : { slot }), ...(instanceId === null ? {} : { instanceId }) };
}
