/**
 * Signals against a server and since when they have agreed (safety rule 7). An observer that cannot see a signal neither
 * confirms nor clears it: the minute check reads no Nodes, and must not restart the dwell that the workflow waits for.
 */
import { DEFAULT_LIMITS, type Limits } from './limits';
import type { Observation, Suspicion } from './observation';
import { correlate, isGone, isJoined, isStopped, type Server } from './readiness';

export const API_TARGET_UNHEALTHY = 'API target unhealthy';
export const NODE_NOT_READY = 'Node not Ready';
export const STATUS_CHECK_IMPAIRED = 'EC2 status check impaired';
export const STOPPED = 'stopped';

export interface Signals {
  /** Seen now. */
  present: string[];
  /** Could not be looked at now. */
  unseen: string[];
}

/** The signals against one server. Machines that have not joined have none: they are judged by their time limit. */
export function signalsAgainst(observation: Observation, server: Server): Signals {
  if (isStopped(server)) return { present: [STOPPED], unseen: [] };
  if (server.state === 'unknown') {
    return { present: [], unseen: [STOPPED, API_TARGET_UNHEALTHY, NODE_NOT_READY, STATUS_CHECK_IMPAIRED] };
  }
  const mayHaveJoined = observation.view === null ? observation.cluster.phase.name === 'initialised' : isJoined(server);
  if (server.state !== 'running' || !mayHaveJoined) return { present: [], unseen: [] };
  // A server that alone describes the cluster cannot be a witness against itself.
  const witnessed = observation.view?.reporters.some((reporter) => reporter !== server.instanceId) ?? false;
  const looked: [signal: string, present: boolean, seen: boolean][] = [
    [API_TARGET_UNHEALTHY, server.targets.api === 'unhealthy', server.targets.api !== 'unknown'],
    [NODE_NOT_READY, witnessed && server.node !== null && server.node.ready !== 'True', witnessed],
    [STATUS_CHECK_IMPAIRED, server.statusCheck === 'impaired', server.statusCheck !== 'unknown'],
  ];
  return {
    present: looked.filter(([, present, seen]) => seen && present).map(([signal]) => signal),
    unseen: looked.filter(([, , seen]) => !seen).map(([signal]) => signal),
  };
}

/** Enough to replace a server, once it has lasted for the dwell: two signals, or that it is stopped. */
export function isSufficient(signals: string[]): boolean {
  return signals.includes(STOPPED) || signals.length >= 2;
}

/** The server by whose health a slot is judged: the one that joined first; null when none has. */
export function subjectOf(servers: Server[], slot: number, view: Observation['view']): Server | null {
  const candidates = servers
    .filter(
      (server) => server.slot === slot && !isGone(server) && (view === null || isJoined(server) || isStopped(server)),
    )
    .sort((a, b) => Number(isJoined(b)) - Number(isJoined(a)) || a.generation - b.generation);
  return candidates[0] ?? null;
}

/**
 * The slot's suspicion after this observation. Its time starts with the first signal, and anew when two begin to agree,
 * or when those that agreed are not the same any more: the dwell measures agreement, not unrest.
 */
export function nextSuspicion(
  observation: Observation,
  slot: number,
  limits: Limits = DEFAULT_LIMITS,
): Suspicion | null {
  const subject = subjectOf(correlate(observation).servers, slot, observation.view);
  if (!subject) return null;
  const recorded = observation.slots.find((record) => record.slot === slot)?.suspicion ?? null;
  const fresh = recorded !== null && observation.at - recorded.lastSeen <= limits.unbrokenSeconds * 1000;
  const previous = fresh && recorded.instanceId === subject.instanceId ? recorded : null;
  const { present, unseen } = signalsAgainst(observation, subject);
  const signals = [...present, ...(previous?.signals.filter((signal) => unseen.includes(signal)) ?? [])].sort();
  if (signals.length === 0) return null;
  const lasting = previous?.signals.filter((signal) => signals.includes(signal)) ?? [];
  const unbroken = previous && (isSufficient(signals) ? isSufficient(lasting) : lasting.length > 0);
  return {
    instanceId: subject.instanceId,
    since: unbroken ? previous.since : observation.at,
    lastSeen: previous && present.length === 0 ? previous.lastSeen : observation.at,
    signals,
  };
}

/** The suspicion of every slot after this observation, in slot order: the step records it. */
export function nextSuspicions(
  observation: Observation,
  limits: Limits = DEFAULT_LIMITS,
): { slot: number; suspicion: Suspicion | null }[] {
  return observation.slots.map(({ slot }) => ({ slot, suspicion: nextSuspicion(observation, slot, limits) }));
}
