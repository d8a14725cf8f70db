/**
 * The one decision of the orchestrator: what an observation calls for, and why. The workflow, the healer and `explain`
 * all call this function; nothing else decides.
 */
import type { Concern, ConcernCode } from './concern';
import { recentReplacements } from './departures';
import { judge, labels } from './judgement';
import { DEFAULT_LIMITS, type Limits } from './limits';
import { label, serverName } from './names';
import type { ClusterRecord, Observation } from './observation';
import { type Draft, draft, EMPTY_PLAN, isEmpty, type Launch, launchOf, type Plan, type Postponed } from './planner';
import { massFailure } from './quorum';
import { hasNotStartedK3s, isGone, isInService, isStopped, type Server } from './readiness';
import { tolerated } from './slots';

export interface Policy {
  /** The K3s version of this deployment: it must be the one that the cluster was initialised with. */
  k3sVersion: string;
  /** Digest of this deployment's manifests; null when they are not the caller's business. */
  manifests: string | null;
  limits?: Limits;
}

export interface Verdict {
  /** `none`: whole. `watch`: look again later. `converge`: carry out the plan. `refuse`: a person must look. */
  action: 'none' | 'watch' | 'converge' | 'refuse';
  /** One sentence for people. */
  reason: string;
  recheckAfterSeconds: number;
  /** With `watch` it launches a spare at most; otherwise it does nothing unless the action is `converge`. */
  plan: Plan;
  /** What stands in the way, or deserves a look although all is well; with `converge`, what waits all the same. */
  concern: Concern | null;
}

const RECHECK = { routine: 60, proof: 10, targets: 10, blind: 15, order: 10 } as const;
const HOUR_MS = 3_600_000;

/** Whether the healer may start a workflow at all (safety rule 14): it wants only what a person wanted. */
export function mayHeal(cluster: ClusterRecord): { allowed: boolean; reason: string } {
  if (cluster.desired === 'absent') return { allowed: false, reason: 'nobody asked for this cluster: it is absent' };
  if (cluster.phase.name !== 'initialised') {
    return { allowed: false, reason: `the cluster is ${cluster.phase.name}: only a person creates the first one` };
  }
  if (cluster.paused) return { allowed: false, reason: 'healing is paused' };
  return { allowed: true, reason: 'the cluster is wanted and initialised' };
}

/** Decides. Pure: the time is the observation's. */
export function assess(observation: Observation, policy: Policy): Verdict {
  const limits = policy.limits ?? DEFAULT_LIMITS;
  const { cluster } = observation;
  const servers = judge(observation, limits).servers;
  if (cluster.desired === 'absent')
    return refuse('absent', 'the cluster is absent: start the cluster workflow to create it');
  if (servers.length > 0 && servers.every(({ state }) => state === 'unknown')) {
    const why = observation.blind.join(', ') || 'no answer';
    return refuse('nothing-observed', `nothing could be observed (${why}): nothing is done`);
  }
  const latched =
    cluster.phase.name === 'initialised' ? judgeWithoutView(observation, servers) : judgeLatch(observation, servers);
  if (latched) return latched;
  return weigh(observation, policy, limits, draft(observation, policy.manifests, limits));
}

/** Safety rule 12, before the cluster is initialised: only the instance that the latch names may have started K3s. */
function judgeLatch(observation: Observation, servers: Server[]): Verdict | null {
  const { phase } = observation.cluster;
  if (phase.name === 'initialised' || observation.view === null) {
    if (phase.name !== 'initialising') return null;
    const initialiser = servers.find(({ instanceId }) => instanceId === phase.instanceId);
    return initialiser?.state === 'unknown'
      ? watch(
          'nothing-observed',
          `${label(initialiser)} is initialising the cluster and cannot be observed`,
          RECHECK.blind,
        )
      : null;
  }
  const initialiser = phase.name === 'initialising' ? phase.instanceId : null;
  const foreign = observation.view.members.filter(
    (member) => !servers.some((server) => server.member?.name === member.name && server.instanceId === initialiser),
  );
  if (foreign.length === 0) return null;
  const who = foreign.map(({ name }) => name).join(', ');
  return refuse(
    'already-a-cluster',
    `the record says that the cluster is ${phase.name}, but a K3s cluster with ${who} answers: ` +
      'it will not be initialised twice; restore the record from the table’s backup',
  );
}

/** An initialised cluster of which no server can say anything (safety rules 5, 6 and 12). */
function judgeWithoutView(observation: Observation, servers: Server[]): Verdict | null {
  if (observation.view !== null) return null;
  const total = observation.slots.length;
  // Machines that were launched to join are no part of the cluster that was.
  if (servers.every((server) => isGone(server) || hasNotStartedK3s(server))) {
    return refuse(
      'all-servers-lost',
      `no server runs K3s any more (${labels(servers) || 'no instance exists'}) and the cluster will not be initialised ` +
        'twice: restore it from a snapshot, or delete it and create a new one',
    );
  }
  const down = servers.filter(
    (server) =>
      isGone(server) ||
      isStopped(server) ||
      server.targets.api === 'unhealthy' ||
      hasNotStartedK3s(server) ||
      server.report?.k3s === 'failed',
  );
  const alive = servers.length - down.length;
  if (total - Math.min(alive, total) > tolerated(total)) {
    return refuse(
      'majority-lost',
      `no server can describe the cluster and only ${alive} of ${total} may be alive (down: ${labels(down) || 'none seen'}): ` +
        'a majority may be lost, nothing is done; if they do not come back, restore the cluster from a snapshot, or ' +
        'delete it and create a new one',
    );
  }
  return watch(
    'nothing-observed',
    `no server could describe the cluster${blindness(observation)}: nothing is done until one can`,
    RECHECK.blind,
  );
}

function weigh(observation: Observation, policy: Policy, limits: Limits, drafted: Draft): Verdict {
  const { judgement, plan, postponed, permitted, booting, backingOff } = drafted;

  const impossible = postponed.find(({ obstacle }) => obstacle === 'majority' || obstacle === 'unknown');
  if (impossible) {
    return refuse(
      impossible.obstacle === 'majority' ? 'majority-at-risk' : 'voters-unknown',
      `${label(impossible.retirement)} ${impossible.retirement.reason}, but ${impossible.reason}`,
      impossible.retirement,
    );
  }
  if (judgement.unidentified.length > 0 && !isEmpty(plan)) {
    const strangers = judgement.unidentified
      .map(({ description, address }) => `${description} (${address})`)
      .join(', ');
    return refuse(
      'unidentified-member',
      `${strangers} belongs to no known server: remove it by hand, then start again`,
    );
  }
  const waits = [...booting, ...(permitted.length > 0 ? [] : judgement.pending)];
  const unproven = postponed.find(({ obstacle }) => obstacle === 'unproven');
  if (unproven) {
    return watch(
      'majority-at-risk',
      `${label(unproven.retirement)} ${unproven.retirement.reason}, but ${unproven.reason}`,
      RECHECK.proof,
      unproven.retirement,
    );
  }
  if (waits.length > 0 && booting.length === 0 && plan.register.length > 0) {
    // What is not registered is not checked: a suspect would wait for ever for its second signal.
    const registration = { ...plan, launch: [], retire: [], start: [], apply: false };
    return carryOut(observation, policy, { ...drafted, plan: registration });
  }
  if (waits.length > 0) {
    const mass = massFailure(observation, judgement);
    const dwelling = waits.map(({ server, reason }) => `${label(server)} ${reason}`).join('; ');
    const warning = mass && !mass.allowed ? `; ${mass.reason}: nothing will be removed while that lasts` : '';
    const spare = spareOf(observation, policy, drafted);
    const meanwhile = spare ? `; a spare for ${serverName(spare.slot)} is launched meanwhile` : '';
    const waiting = watch(
      'not-in-service',
      dwelling + warning + meanwhile,
      Math.min(...waits.map(({ recheckAfterSeconds }) => recheckAfterSeconds)),
      waits[0]?.server,
    );
    return spare ? { ...waiting, plan: { ...EMPTY_PLAN, launch: [spare] } } : waiting;
  }
  if (!isEmpty(plan)) return carryOut(observation, policy, drafted);
  const limited = postponed.find(({ obstacle }) => obstacle === 'limit');
  if (limited) return refuseMore(observation, limits, limited);
  if (backingOff[0]) {
    const until = Math.min(...backingOff.map((slot) => slot.until));
    const names = backingOff.map(({ slot }) => serverName(slot)).join(', ');
    return watch(
      'backing-off',
      `machines for ${names} failed to join one after the other: the next is launched at ${new Date(until).toISOString()}`,
      Math.min(Math.ceil((until - observation.at) / 1000), RECHECK.routine),
      { slot: backingOff[0].slot, instanceId: null },
    );
  }
  if (postponed[0]) {
    const { retirement, reason } = postponed[0];
    return watch(
      'not-in-service',
      `${label(retirement)} ${retirement.reason}, but ${reason}`,
      RECHECK.order,
      retirement,
    );
  }
  return judgeWhole(observation, judgement.servers);
}

/** The plan, unless something stands against it. */
function carryOut(observation: Observation, policy: Policy, drafted: Draft): Verdict {
  const initialised = observation.cluster.phase.name === 'initialised';
  const { plan, postponed } = drafted;
  // It is refused when the plan is carried out; if that fails, whatever the reason, people hear of it nevertheless.
  const limited = postponed.find(({ obstacle }) => obstacle === 'limit')?.retirement;
  return (
    (initialised ? forbid(observation, policy, drafted) : null) ?? {
      action: 'converge',
      reason: describe(observation, drafted),
      recheckAfterSeconds: 0,
      plan,
      concern: limited ? concern('replacement-limit', limited) : null,
    }
  );
}

/** The slot that gets a spare during the dwell: when nothing would stand against the replacement itself. */
function spareOf(observation: Observation, policy: Policy, drafted: Draft): Launch | null {
  const { spareFor, plan } = drafted;
  if (!spareFor) return null;
  const launch = launchOf(observation, spareFor.retirement.slot);
  const replacement = { ...drafted, permitted: [spareFor], plan: { ...plan, launch: [launch] } };
  return forbid(observation, policy, replacement) ? null : launch;
}

/** What stands against changing an initialised cluster although the plan itself is sound. */
function forbid(observation: Observation, policy: Policy, drafted: Draft): Verdict | null {
  const { plan, permitted } = drafted;
  const { cluster } = observation;
  const what = describe(observation, drafted);
  const subject = permitted[0]?.retirement ?? plan.launch.map(({ slot }) => ({ slot, instanceId: null }))[0];
  if (cluster.paused) return refuse('paused', `healing is paused; it would ${what}`, subject);
  if (
    cluster.k3sVersion !== null &&
    cluster.k3sVersion !== policy.k3sVersion &&
    plan.launch.length + plan.start.length > 0
  ) {
    return refuse(
      'version-mismatch',
      `the cluster runs K3s ${cluster.k3sVersion} and this deployment installs ${policy.k3sVersion}: ` +
        `a new server must not upgrade it by accident; deploy ${cluster.k3sVersion} again`,
      subject,
    );
  }
  if (plan.peer === null) {
    return refuse('no-peer', `no healthy server takes commands, so it is not possible to ${what}`, subject);
  }
  return null;
}

/** Rule 8: one more would be too many. */
function refuseMore(observation: Observation, limits: Limits, { retirement }: Postponed): Verdict {
  const what = `replace ${label(retirement)}, which ${retirement.reason}`;
  if (observation.cluster.paused) return refuse('paused', `healing is paused; it would ${what}`, retirement);
  const recent = recentReplacements(observation);
  // When so many are history that one more is allowed.
  const until = (recent[recent.length - limits.replacementsPerHour] ?? observation.at) + HOUR_MS;
  return refuse(
    'replacement-limit',
    `${recent.length} servers were replaced within the last hour, the limit is reached until ` +
      `${new Date(until).toISOString()}; it would ${what}`,
    retirement,
  );
}

/** Nothing is missing. Does it also receive traffic, and could everything be seen? */
function judgeWhole(observation: Observation, servers: Server[]): Verdict {
  const living = servers.filter((server) => !isGone(server));
  const paused = observation.cluster.paused ? '; healing is paused' : '';
  const unseen = living.filter(
    (server) => server.state === 'unknown' || Object.values(server.targets).includes('unknown'),
  );
  if (observation.blind.length > 0 || unseen.length > 0) {
    return watch(
      'nothing-observed',
      `not everything could be observed${blindness(observation)}${paused}`,
      RECHECK.blind,
    );
  }
  const idle = living.filter((server) => !isInService(server));
  if (idle.length > 0) {
    return watch('not-in-service', `${labels(idle)} gives no proof of health yet${paused}`, RECHECK.proof, idle[0]);
  }
  const waiting = living.filter((server) => Object.values(server.targets).some((health) => health !== 'healthy'));
  if (waiting[0]) {
    const groups = Object.entries(waiting[0].targets).filter(([, health]) => health !== 'healthy');
    const detail = groups.map(([group, health]) => `${group} ${health}`).join(', ');
    const reason = `${label(waiting[0])} does not receive all traffic yet: ${detail}${paused}`;
    return watch('not-in-service', reason, RECHECK.targets, waiting[0]);
  }
  const lost = living.filter(({ agent }) => agent === 'lost');
  const deaf = lost.length > 0 ? `; SSM has lost the agent of ${labels(lost)}, so that it takes no commands` : '';
  return {
    action: 'none',
    reason: `${living.length} of ${observation.slots.length} servers are in service${deaf}${paused}`,
    recheckAfterSeconds: RECHECK.routine,
    plan: EMPTY_PLAN,
    concern: lost[0] ? { code: 'agent-lost', slot: lost[0].slot, instanceId: lost[0].instanceId } : null,
  };
}

/** The plan in a sentence. */
function describe(observation: Observation, { plan, permitted, postponed, judgement }: Draft): string {
  const steps: string[] = [];
  if (permitted.length > 0) {
    const evidence = permitted[permitted.length - 1]?.reason ?? '';
    steps.push(
      `replace ${permitted.map(({ retirement }) => `${label(retirement)}, which ${retirement.reason}`).join(', and ')} (${evidence})`,
    );
  }
  if (plan.launch.length > 0) steps.push(`launch ${plan.launch.map(({ slot }) => serverName(slot)).join(', ')}`);
  const newcomers = plan.start.length + plan.launch.length;
  if (plan.init) steps.push(newcomers > 1 ? `init 1, join ${newcomers - 1}` : 'init 1');
  else if (plan.start.length > 0) steps.push(`join ${labels(plan.start)}`);
  if (plan.register.length > 0) steps.push(`register ${labels(plan.register)}`);
  if (plan.apply) steps.push('apply the manifests');
  const limited = postponed.filter(({ obstacle }) => obstacle === 'limit').map(({ retirement }) => retirement);
  if (limited.length > 0) steps.push(`${labels(limited)} must wait: too many were replaced within the hour`);
  const nothing = plan.init && judgement.servers.length === 0;
  return `${nothing ? 'nothing exists: ' : ''}${steps.join('; ')}${observation.cluster.paused ? ' (paused)' : ''}`;
}

function blindness(observation: Observation): string {
  return observation.blind.length > 0 ? ` (${observation.blind.join(', ')})` : '';
}

/** The server that a verdict is about. */
type Subject = Pick<Concern, 'slot' | 'instanceId'>;

function concern(code: ConcernCode, subject: Subject | undefined): Concern {
  return { code, slot: subject?.slot ?? null, instanceId: subject?.instanceId ?? null };
}

function watch(code: ConcernCode, reason: string, recheckAfterSeconds: number, subject?: Subject): Verdict {
  return { action: 'watch', reason, recheckAfterSeconds, plan: EMPTY_PLAN, concern: concern(code, subject) };
}

function refuse(code: ConcernCode, reason: string, subject?: Subject): Verdict {
  return {
    action: 'refuse',
    reason,
    recheckAfterSeconds: RECHECK.routine,
    plan: EMPTY_PLAN,
    concern: concern(code, subject),
  };
}
