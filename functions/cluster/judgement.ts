/**
 * One look at every slot: who keeps it, who has to leave it and why, and what is merely being watched. Planner, quorum
 * check and verdict all start from this, so that a fresh look before the irreversible asks the very same question again.
 */
import { DEFAULT_LIMITS, type Limits } from './limits';
import { label, serverName } from './names';
import type { Observation } from './observation';
import {
  correlate,
  isGone,
  isJoined,
  isKnownToK3s,
  isLearner,
  isProven,
  isStopped,
  isVoter,
  type Leftover,
  type Server,
} from './readiness';
import { isSufficient, nextSuspicion, STOPPED, signalsAgainst } from './suspicion';

/**
 * `gone`: EC2 has ended it. `sick`: two signals, or stopped, for the dwell. `failed`: never joined within its time, or says that
 * it never will.
 * `surplus`: its slot has a better one. `leftover`: K3s lists it, and no instance is known.
 */
export const RETIREMENT_KINDS = ['gone', 'sick', 'failed', 'surplus', 'leftover'] as const;
export type RetirementKind = (typeof RETIREMENT_KINDS)[number];

/** The slot needs another server afterwards: these count against the limit per hour (safety rule 8). */
export function isReplacement(kind: RetirementKind): boolean {
  return kind === 'gone' || kind === 'sick' || kind === 'failed';
}

export interface Retirement {
  kind: RetirementKind;
  slot: number;
  instanceId: string;
  /** Peer address of its etcd member; empty when unknown. */
  address: string;
  /** K3s knows it: RemoveMember must run. */
  member: boolean;
  /** It is a voter of etcd. */
  voter: boolean;
  /** Completes "server-1 i-0b7… …". */
  reason: string;
}

/** Not enough to act upon yet. */
export interface Pending {
  server: Server;
  /** Only the dwell is missing: then it is to be replaced. */
  agreed: boolean;
  reason: string;
  recheckAfterSeconds: number;
}

export interface SlotJudgement {
  slot: number;
  /** The instance that has, or is to have, the slot; null when one must be launched. */
  keeper: Server | null;
}

export interface Judgement {
  servers: Server[];
  slots: SlotJudgement[];
  retire: Retirement[];
  pending: Pending[];
  /** K3s lists them, and no instance id can be told from them: a person must look. */
  unidentified: Leftover[];
}

/** A single signal may become two, or vanish: look again after about one more health check. */
const SECOND_SIGNAL_SECONDS = 20;
const SHORTEST_RECHECK_SECONDS = 5;

export function judge(observation: Observation, limits: Limits = DEFAULT_LIMITS): Judgement {
  const { servers, leftovers } = correlate(observation);
  const judgement: Judgement = { servers, slots: [], retire: [], pending: [], unidentified: [] };
  for (const { slot } of observation.slots) judgeSlot(observation, slot, limits, judgement);
  const strays = servers.filter(({ slot }) => !observation.slots.some((record) => record.slot === slot));
  for (const stray of strays) {
    if (isGone(stray) ? stray.inventoried || isKnownToK3s(stray) : stray.state !== 'unknown') {
      judgement.retire.push(
        retirement(stray, isGone(stray) ? 'gone' : 'surplus', 'belongs to no slot of this cluster'),
      );
    }
  }
  for (const leftover of leftovers) judgeLeftover(leftover, judgement);
  return judgement;
}

function judgeSlot(observation: Observation, slot: number, limits: Limits, judgement: Judgement): void {
  const kept: Server[] = [];
  let suspected = false;
  for (const server of judgement.servers.filter((candidate) => candidate.slot === slot)) {
    if (isGone(server)) {
      // One that nobody lists any more has left nothing to clean up.
      if (server.inventoried || isKnownToK3s(server)) {
        judgement.retire.push(retirement(server, 'gone', `is ${server.state}`));
      }
      continue;
    }
    const failure = failureToJoin(observation, server, limits);
    if (failure) {
      judgement.retire.push(retirement(server, 'failed', failure));
      continue;
    }
    const sickness = sicknessOf(observation, server, limits);
    if (sickness?.due) {
      judgement.retire.push(retirement(server, 'sick', sickness.reason));
      continue;
    }
    if (sickness) {
      suspected = true;
      const { agreed, reason, recheckAfterSeconds } = sickness;
      judgement.pending.push({ server, agreed, reason, recheckAfterSeconds });
    }
    kept.push(server);
  }
  kept.sort(byClaim);
  const [keeper, ...others] = kept;
  judgement.slots.push({ slot, keeper: keeper ?? null });
  if (!keeper || keeper.state === 'unknown') return;
  const blind = nobodyKnowsWhoJoined(observation);
  for (const other of others) {
    // A spare for a suspect stays until the suspicion is over; what cannot be seen is not judged.
    if (other.state === 'unknown' || (suspected && !isJoined(other))) continue;
    // Among machines that may have joined, only proof makes one of them the server and the other surplus.
    if ((isJoined(keeper) || isJoined(other) || blind) && !isProven(keeper)) continue;
    // A successor that has joined and gives no proof at this moment is not surplus: signals will tell, or time.
    if (isJoined(other) && other.generation > keeper.generation) continue;
    judgement.retire.push(retirement(other, 'surplus', `is surplus: ${serverName(slot)} is ${keeper.instanceId}`));
  }
}

/** Best claim to a slot first: does its work, has joined, is in the inventory, is the newest. */
function byClaim(a: Server, b: Server): number {
  return (
    Number(isProven(b)) - Number(isProven(a)) ||
    Number(isJoined(b)) - Number(isJoined(a)) ||
    Number(isKnownToK3s(b)) - Number(isKnownToK3s(a)) ||
    Number(b.inventoried) - Number(a.inventoried) ||
    b.generation - a.generation ||
    a.instanceId.localeCompare(b.instanceId)
  );
}

/** Why a machine that has not joined will not be waited for any longer; null when it has joined or still may. */
function failureToJoin(observation: Observation, server: Server, limits: Limits): string | null {
  if (isJoined(server) || server.launchedAt === null) return null;
  // Then nobody is known to have failed to.
  if (nobodyKnowsWhoJoined(observation)) return null;
  const age = Math.floor((observation.at - server.launchedAt) / 1000);
  // Its own word that it never will: waiting, or telling it once more, changes nothing. A voter's data is worth the wait.
  if (server.state === 'running' && server.report?.k3s === 'failed' && !isVoter(server)) {
    return `reports ${age} s after its launch that it has failed for good: it will not join`;
  }
  if (age < limits.joinSeconds) return null;
  const late = `has not joined ${age} s after its launch`;
  if (server.state === 'pending') return `${late}: EC2 still says pending`;
  if (server.state !== 'running') return null;
  if (isKnownToK3s(server))
    return `${late}: ${isLearner(server) ? 'it is still a learner' : 'its Node and member are incomplete'}`;
  if (server.agent === 'never') return `${late}: its SSM agent never came online`;
  if (server.agent === 'lost') return `${late}: its SSM agent is lost`;
  // Its own word again, and not silence: user data is slow, or was cut short, and cloud-init never runs it again.
  if (server.report?.k3s === 'preparing') return `${late}: its user data has not finished`;
  // `inactive` is a machine that nobody has told to start K3s yet: an interrupted creation continues with it.
  if (server.report && server.report.k3s !== 'inactive') return `${late}: K3s is ${server.report.k3s}`;
  return null;
}

function nobodyKnowsWhoJoined({ view, cluster }: Observation): boolean {
  return view === null && cluster.phase.name === 'initialised';
}

function sicknessOf(
  observation: Observation,
  server: Server,
  limits: Limits,
): { due: boolean; agreed: boolean; reason: string; recheckAfterSeconds: number } | null {
  const { present } = signalsAgainst(observation, server);
  if (present.length === 0) return null;
  const suspicion = nextSuspicion(observation, server.slot, limits);
  const since = suspicion?.instanceId === server.instanceId ? suspicion.since : observation.at;
  const lasted = Math.floor((observation.at - since) / 1000);
  const what = present.includes(STOPPED) ? `is ${server.state}` : `has ${present.join(' and ')}`;
  // Signals that were not seen just now may keep the time running, but never decide.
  if (!isSufficient(present)) {
    const reason = `${what} for ${lasted} s: one signal of two`;
    return { due: false, agreed: false, reason, recheckAfterSeconds: SECOND_SIGNAL_SECONDS };
  }
  const left = limits.dwellSeconds - lasted;
  if (left <= 0) return { due: true, agreed: true, reason: `${what} for ${lasted} s`, recheckAfterSeconds: 0 };
  return {
    due: false,
    agreed: true,
    reason: `${what} for ${lasted} s, to be replaced after ${limits.dwellSeconds} s`,
    recheckAfterSeconds: Math.max(left, SHORTEST_RECHECK_SECONDS),
  };
}

function judgeLeftover(leftover: Leftover, judgement: Judgement): void {
  const { instanceId, address, voter, description } = leftover;
  if (instanceId === null || !/^i-[0-9a-f]{8,17}$/.test(instanceId)) {
    judgement.unidentified.push(leftover);
    return;
  }
  if (judgement.retire.some((known) => known.instanceId === instanceId)) return;
  // Nothing says which slot it had. The slot is only used to look it up in the inventory, where it is not.
  const slot = judgement.slots.find(({ keeper }) => keeper === null)?.slot ?? 0;
  const reason = `has left ${description} behind and is not an instance any more`;
  judgement.retire.push({ kind: 'leftover', slot, instanceId, address, member: true, voter, reason });
}

/** As it is to be retired. */
export function retirement(server: Server, kind: RetirementKind, reason: string): Retirement {
  return {
    kind,
    slot: server.slot,
    instanceId: server.instanceId,
    address: server.member?.address ?? server.node?.address ?? server.privateIp ?? '',
    member: isKnownToK3s(server),
    voter: isVoter(server),
    reason,
  };
}

/** Whether this server counts as lost when the size of a failure is judged: with or without the dwell. */
export function isSick(observation: Observation, server: Server): boolean {
  return isGone(server) || isStopped(server) || isSufficient(signalsAgainst(observation, server).present);
}

/** A list of servers in a sentence. */
export function labels(servers: { slot: number; instanceId: string }[]): string {
  return servers.map(label).join(', ');
}
