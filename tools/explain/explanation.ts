/** What the self-healer would do now, and why: put together from the very functions that the healer calls. */
import { recentReplacements } from '../../functions/cluster/departures';
import { DEFAULT_LIMITS } from '../../functions/cluster/limits';
import type { Observation } from '../../functions/cluster/observation';
import { correlate, isGone, isReady, isVoter, type Server } from '../../functions/cluster/readiness';
import { isSufficient, nextSuspicion, STOPPED, signalsAgainst } from '../../functions/cluster/suspicion';
import { type Triage, triage } from '../../functions/cluster/triage';
import { assess, mayHeal, type Policy, type Verdict } from '../../functions/cluster/verdict';
import type { Look } from './look';
import { type WhatIf, whatIfs } from './what-if';

export interface ServerExplanation {
  slot: number;
  instanceId: string;
  availabilityZone: string | null;
  /** EC2's word. */
  state: string;
  /** Null: nobody could say. */
  node: { ready: 'True' | 'False' | 'Unknown' } | null;
  ready: boolean;
  etcdVoter: boolean;
  targets: Server['targets'];
  statusCheck: string;
  agent: string;
  /** It has just answered for itself. */
  answered: boolean;
  signals: {
    /** Against it, now. */
    present: string[];
    unseen: string[];
    /** Since when they agree without a break, epoch ms; null: nothing is against it. */
    since: number | null;
    /** When it would be replaced if they last, epoch ms; null: they do not suffice. */
    dueAt: number | null;
  };
}

export interface Explanation {
  /** AWS time, epoch ms. */
  at: number;
  /** What the workflow would decide. */
  verdict: Verdict;
  /** What the minute check would decide: whether it starts the workflow at all. */
  triage: Triage;
  mayHeal: { allowed: boolean; reason: string };
  /** The cluster is whole and nothing is to be done. */
  whole: boolean;
  servers: ServerExplanation[];
  whatIfs: WhatIf[];
  lease: { execution: string; since: number; running: boolean } | null;
  paused: boolean;
  replacements: { lastHour: number; left: number; limit: number };
  /** Reads that failed. */
  blind: string[];
}

/** Explains. Pure: the time is the observation's. */
export function explain({ observation, lease, holder, healing }: Look, policy: Policy): Explanation {
  const limits = policy.limits ?? DEFAULT_LIMITS;
  const { at, cluster, blind } = observation;
  const verdict = assess(observation, policy);
  const recent = recentReplacements(observation).length;
  return {
    at,
    verdict,
    triage: triage(glimpse(observation), healing, holder, limits),
    mayHeal: mayHeal(cluster),
    whole: verdict.action === 'none' && verdict.concern === null,
    servers: correlate(observation)
      .servers.filter((server) => !isGone(server) || server.inventoried)
      .map((server) => explainServer(observation, server, policy))
      .sort((a, b) => a.slot - b.slot || a.instanceId.localeCompare(b.instanceId)),
    whatIfs: whatIfs(observation, policy),
    lease: lease && { execution: lease.holder.id, since: lease.acquiredAt, running: holder === 'running' },
    paused: cluster.paused,
    replacements: {
      lastHour: recent,
      left: Math.max(0, limits.replacementsPerHour - recent),
      limit: limits.replacementsPerHour,
    },
    blind,
  };
}

/** The observation as the minute check has it: that asks no server. */
function glimpse(observation: Observation): Observation {
  const instances = observation.instances.map((instance) => ({
    ...instance,
    report: null,
    statusCheck: 'unknown' as const,
  }));
  return { ...observation, instances, view: null };
}

function explainServer(observation: Observation, server: Server, policy: Policy): ServerExplanation {
  const { dwellSeconds } = policy.limits ?? DEFAULT_LIMITS;
  const { present, unseen } = signalsAgainst(observation, server);
  const suspicion = nextSuspicion(observation, server.slot, policy.limits);
  const since = present.length > 0 && suspicion?.instanceId === server.instanceId ? suspicion.since : null;
  return {
    slot: server.slot,
    instanceId: server.instanceId,
    availabilityZone: server.availabilityZone,
    state: server.state,
    node: server.node && { ready: server.node.ready },
    ready: server.state === 'running' && isReady(server),
    etcdVoter: isVoter(server),
    targets: server.targets,
    statusCheck: server.statusCheck,
    agent: server.agent,
    answered: server.report !== null,
    signals: {
      present,
      unseen: unseen.filter((signal) => signal !== STOPPED),
      since,
      dueAt: since !== null && isSufficient(present) ? since + dwellSeconds * 1000 : null,
    },
  };
}
