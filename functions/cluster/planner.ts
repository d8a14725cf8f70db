/**
 * What would make the cluster whole: the stages of one round of the workflow, each with only what is missing. The plan
 * of a whole cluster is empty. It is structurally the plan of the assess-cluster contract.
 */
import { nextLaunchAt } from './backoff';
import { recentReplacements } from './departures';
import {
  isReplacement,
  type Judgement,
  judge,
  type Pending,
  type Retirement,
  type RetirementKind,
  retirement,
} from './judgement';
import { DEFAULT_LIMITS, type Limits } from './limits';
import type { Observation } from './observation';
import { type Obstacle, permit } from './quorum';
import { isGone, isJoined, isKnownToK3s, isProven, type Server } from './readiness';

/** A slot that needs an instance. */
export interface Launch {
  slot: number;
  /** The newest generation that the slot's inventory knew of, 0 for none: a newer one has been launched for this plan. */
  after: number;
}

export interface Plan {
  launch: Launch[];
  retire: {
    slot: number;
    instanceId: string;
    kind: RetirementKind;
    address: string;
    member: boolean;
    reason: string;
  }[];
  start: { slot: number; instanceId: string; privateIp: string }[];
  init: boolean;
  initInstanceId: string | null;
  peer: { slot: number; instanceId: string; privateIp: string } | null;
  caHash: string | null;
  register: { slot: number; instanceId: string }[];
  apply: boolean;
}

/** A retirement that is due and must not happen now. */
export interface Postponed {
  retirement: Retirement;
  obstacle: Obstacle;
  reason: string;
}

export interface Draft {
  plan: Plan;
  judgement: Judgement;
  /** The planned retirements with the permission's reason, for the sentence that people read. */
  permitted: { retirement: Retirement; reason: string }[];
  postponed: Postponed[];
  /** Booting machines that were launched by an earlier execution: nothing can be told to them yet. */
  booting: Pending[];
  /** Empty slots whose machines failed to join: the next one is launched at this time, epoch ms. */
  backingOff: { slot: number; until: number }[];
  /** The server that is to be replaced when the dwell is over, and whose successor may be launched meanwhile. */
  spareFor: { retirement: Retirement; reason: string } | null;
}

/** Instances beyond one per slot, in the whole cluster. */
const SURGE = 1;

/** In every round a machine boots within about a minute; look again soon. */
const BOOTING_RECHECK_SECONDS = 5;

/** The plan alone. `manifests` is the digest that is to be applied; null leaves the manifests out of the question. */
export function plan(observation: Observation, manifests: string | null, limits: Limits = DEFAULT_LIMITS): Plan {
  return draft(observation, manifests, limits).plan;
}

/** The plan with everything that was weighed for it. */
export function draft(observation: Observation, manifests: string | null, limits: Limits = DEFAULT_LIMITS): Draft {
  const judgement = judge(observation, limits);
  const { permitted, postponed } = retirements(observation, judgement, limits);
  const { phase } = observation.cluster;
  const init = phase.name !== 'initialised';
  const leaving = new Set(judgement.retire.map(({ instanceId }) => instanceId));
  // Until it has left, the initialiser keeps the latch (safety rule 12): also one that should leave and may not yet.
  const retiring = new Set(permitted.map(({ retirement }) => retirement.instanceId));
  const staying = new Set(
    judgement.servers.map(({ instanceId }) => instanceId).filter((instanceId) => !retiring.has(instanceId)),
  );
  const held = new Set(postponed.map(({ retirement }) => retirement.slot));

  const empty: Launch[] = [];
  const start: Server[] = [];
  const booting: Pending[] = [];
  const backingOff: Draft['backingOff'] = [];
  const register: Plan['register'] = [];
  for (const { slot, keeper } of judgement.slots) {
    // An instance outside the inventory was launched by a run that died before it could write it down: launching the
    // same generation again, with the same client token, returns that very instance and records it.
    if (keeper === null || (!keeper.inventoried && !isKnownToK3s(keeper) && keeper.state !== 'unknown')) {
      if (held.has(slot)) continue;
      const departures = observation.slots.find((record) => record.slot === slot)?.departures ?? [];
      const failing = judgement.retire.some((due) => due.slot === slot && due.kind === 'failed');
      const until = init ? observation.at : nextLaunchAt(departures, failing, observation.at, limits);
      if (until > observation.at) backingOff.push({ slot, until });
      else empty.push(launchOf(observation, slot));
      continue;
    }
    if (keeper.state === 'pending' || (keeper.state === 'running' && keeper.privateIp === null)) {
      const recheckAfterSeconds = BOOTING_RECHECK_SECONDS;
      booting.push({ server: keeper, agreed: false, reason: 'is still booting', recheckAfterSeconds });
      continue;
    }
    if (keeper.state !== 'running') continue;
    if (needsStart(observation, keeper)) start.push(keeper);
    if (Object.values(keeper.targets).some((health) => health === 'unregistered' || health === 'draining')) {
      register.push({ slot, instanceId: keeper.instanceId });
    }
  }
  const launch = withinSurge(empty, judgement);
  // etcd takes one learner at a time: a server that is half way in goes first.
  start.sort((a, b) => Number(isKnownToK3s(b)) - Number(isKnownToK3s(a)) || a.slot - b.slot);

  const busy = launch.length + start.length + booting.length + backingOff.length + judgement.retire.length > 0;
  return {
    judgement,
    permitted,
    postponed,
    booting,
    backingOff,
    spareFor: busy ? null : spareFor(observation, judgement, limits),
    plan: {
      launch,
      retire: permitted.map(({ retirement }) => ({
        slot: retirement.slot,
        instanceId: retirement.instanceId,
        kind: retirement.kind,
        address: retirement.address,
        member: retirement.member,
        reason: retirement.reason,
      })),
      start: start.flatMap(({ slot, instanceId, privateIp }) =>
        privateIp === null ? [] : [{ slot, instanceId, privateIp }],
      ),
      init,
      initInstanceId: phase.name === 'initialising' && staying.has(phase.instanceId) ? phase.instanceId : null,
      peer: init ? null : choosePeer(judgement.servers, leaving),
      caHash: phase.name === 'initialised' ? phase.caHash : null,
      register,
      apply:
        launch.length > 0 ||
        start.length > 0 ||
        (manifests !== null && manifests !== observation.cluster.appliedManifests),
    },
  };
}

/** The order to launch an instance for a slot, whoever is in it. */
export function launchOf({ slots }: Observation, slot: number): Launch {
  const record = slots.find((candidate) => candidate.slot === slot);
  return { slot, after: Math.max(0, ...(record?.instances ?? []).map(({ generation }) => generation)) };
}

/**
 * One instance per slot and one surge in the whole cluster: of the slots whose machine still exists, because it has failed
 * and leaves in this round, one gets its successor now. The others get theirs when theirs are gone.
 */
function withinSurge(launches: Launch[], { servers, slots }: Judgement): Launch[] {
  const inSlot = (slot: number) => servers.filter((server) => server.slot === slot && !isGone(server)).length;
  let surges = slots.reduce((sum, { slot }) => sum + Math.max(0, inSlot(slot) - 1), 0);
  return launches.filter(({ slot }) => {
    // Adopting an instance that nobody has written down adds none.
    const adopts = slots.some((judged) => judged.slot === slot && judged.keeper !== null);
    return inSlot(slot) === 0 || adopts || surges++ < SURGE;
  });
}

/** Nothing for the workflow to do. `init`, `peer` and `caHash` only describe how it would be done. */
export function isEmpty(plan: Plan): boolean {
  return (
    plan.launch.length === 0 &&
    plan.retire.length === 0 &&
    plan.start.length === 0 &&
    plan.register.length === 0 &&
    !plan.apply
  );
}

/** A plan that does nothing. */
export const EMPTY_PLAN: Plan = {
  launch: [],
  retire: [],
  start: [],
  init: false,
  initInstanceId: null,
  peer: null,
  caHash: null,
  register: [],
  apply: false,
};

/**
 * Launching is reversible (safety rule 4): a spare boots, and the load balancer takes note of it, while the dwell of its
 * predecessor runs. One at most in the cluster, only for a server that might be replaced right now but for the dwell, and
 * surplus as soon as the suspicion is over.
 */
function spareFor(observation: Observation, judgement: Judgement, limits: Limits): Draft['spareFor'] {
  const [suspect, ...others] = judgement.pending;
  if (!suspect?.agreed || others.length > 0) return null;
  const { slot } = suspect.server;
  const living = judgement.servers.filter((server) => !isGone(server));
  if (living.length !== observation.slots.length) return null;
  const departures = observation.slots.find((record) => record.slot === slot)?.departures ?? [];
  if (nextLaunchAt(departures, false, observation.at, limits) > observation.at) return null;
  if (replacementsLeft(observation, limits) <= 0) return null;
  const due = retirement(suspect.server, 'sick', suspect.reason);
  const permission = permit(observation, judgement, due, []);
  return permission.allowed ? { retirement: due, reason: permission.reason } : null;
}

function needsStart(observation: Observation, server: Server): boolean {
  if (observation.cluster.phase.name !== 'initialised') return true;
  return observation.view !== null && !isJoined(server);
}

/**
 * What leaves in this round, in this order: what K3s alone still lists, machines that failed to join, dead ones, surplus.
 * Of those that are alive and vote at most one, and last: the next round looks again before it takes another.
 */
function retirements(
  observation: Observation,
  judgement: Judgement,
  limits: Limits,
): { permitted: { retirement: Retirement; reason: string }[]; postponed: Postponed[] } {
  const order: Retirement['kind'][] = ['leftover', 'failed', 'gone', 'surplus', 'sick'];
  const due = [...judgement.retire].sort(
    (a, b) => Number(livesAndVotes(a)) - Number(livesAndVotes(b)) || order.indexOf(a.kind) - order.indexOf(b.kind),
  );
  const permitted: { retirement: Retirement; reason: string }[] = [];
  const postponed: Postponed[] = [];
  let allowance = replacementsLeft(observation, limits);
  for (const retirement of due) {
    if (livesAndVotes(retirement) && permitted.some((earlier) => livesAndVotes(earlier.retirement))) {
      postponed.push({ retirement, obstacle: 'order', reason: 'another server leaves first' });
      continue;
    }
    const before = permitted.map((earlier) => earlier.retirement.instanceId);
    const permission = permit(observation, judgement, retirement, before);
    if (!permission.allowed) {
      postponed.push({ retirement, obstacle: permission.obstacle, reason: permission.reason });
      continue;
    }
    if (isReplacement(retirement.kind) && allowance-- <= 0) {
      postponed.push({ retirement, obstacle: 'limit', reason: 'the limit of replacements per hour is reached' });
      continue;
    }
    permitted.push({ retirement, reason: permission.reason });
  }
  return { permitted, postponed };
}

/** Rule 8. What dies while a cluster is being created is replaced until it is there. */
function replacementsLeft(observation: Observation, limits: Limits): number {
  if (observation.cluster.phase.name !== 'initialised') return Number.POSITIVE_INFINITY;
  return limits.replacementsPerHour - recentReplacements(observation).length;
}

function livesAndVotes(retirement: Retirement): boolean {
  return retirement.voter && (retirement.kind === 'sick' || retirement.kind === 'surplus');
}

/** Through any healthy survivor (safety rule 13): proven, stays, and takes commands; the lowest slot, for repeatability. */
function choosePeer(servers: Server[], leaving: Set<string>): Plan['peer'] {
  const candidates = servers
    .filter((server) => isProven(server) && !isGone(server) && !leaving.has(server.instanceId))
    .sort((a, b) => Number(b.agent === 'online') - Number(a.agent === 'online') || a.slot - b.slot);
  const [peer] = candidates;
  if (!peer || peer.privateIp === null) return null;
  return { slot: peer.slot, instanceId: peer.instanceId, privateIp: peer.privateIp };
}
