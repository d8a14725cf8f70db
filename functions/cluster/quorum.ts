/** The guard in front of everything that cannot be undone: safety rules 1, 2, 3 and 5. */
import { isSick, type Judgement, judge, labels, type Retirement } from './judgement';
import { DEFAULT_LIMITS, type Limits } from './limits';
import { label } from './names';
import type { Observation } from './observation';
import { isGone, isLearner, isProven, isVoter, type Server } from './readiness';
import { majority, tolerated } from './slots';

/**
 * Why not: `moot` nothing needs it any more, `order` another step must come first, `unproven` the evidence is missing but
 * nothing speaks against the others, `majority` too much is broken, `unknown` nobody can say who votes, `limit` as many as
 * are allowed were replaced within the hour.
 */
export type Obstacle = 'moot' | 'order' | 'unproven' | 'majority' | 'unknown' | 'limit';

export type Permission = { allowed: true; reason: string } | { allowed: false; obstacle: Obstacle; reason: string };

/**
 * Whether this instance may be terminated and removed now. To be asked with a fresh observation immediately before it
 * happens (rule 3); the answer is good for that moment only.
 */
export function mayRemove(observation: Observation, instanceId: string, limits: Limits = DEFAULT_LIMITS): Permission {
  const judgement = judge(observation, limits);
  const retirement = judgement.retire.find((due) => due.instanceId === instanceId);
  if (!retirement) {
    const now = judgement.servers.find((server) => server.instanceId === instanceId);
    const state = now ? `it is ${now.state}${isProven(now) ? ' and healthy' : ''}` : 'it is not known';
    return refuse('moot', `${now ? label(now) : instanceId} does not have to leave: ${state}`);
  }
  return permit(observation, judgement, retirement, []);
}

/**
 * Permission for one retirement, given the ones that were planned to go before it.
 * @param before instance ids that will have left by then
 */
export function permit(
  observation: Observation,
  judgement: Judgement,
  retirement: Retirement,
  before: string[],
): Permission {
  const { phase } = observation.cluster;
  if (phase.name !== 'initialised') {
    // Nothing has joined, so there is no majority to lose. The latch still needs the initialiser to be terminated first.
    return { allowed: true, reason: `the cluster is ${phase.name}: it has no voters to lose` };
  }
  if (observation.view === null) {
    return refuse('unknown', 'no server could say who votes');
  }
  const others = judgement.servers.filter(
    (server) => server.instanceId !== retirement.instanceId && !before.includes(server.instanceId),
  );
  return (
    massFailure(observation, judgement) ?? inOrder(others) ?? projection(observation, judgement, retirement, before)
  );
}

/** Rule 5: more sick voters than the quorum tolerates, or two in one zone, is not the failure of a server. */
export function massFailure(observation: Observation, judgement: Judgement): Permission | null {
  // As in `permit`: before the cluster is initialised there is no majority to lose.
  if (observation.cluster.phase.name !== 'initialised') return null;
  const total = voters(observation);
  const sick = judgement.servers.filter((server) => isVoter(server) && isSick(observation, server));
  if (sick.length > tolerated(total)) {
    const who = `${sick.length} of ${total} voters ${sick.length === 1 ? 'is' : 'are'} sick (${labels(sick)})`;
    const most = tolerated(total);
    return refuse('majority', `${who}, and etcd can lose ${most > 0 ? `only ${most}` : 'none'} of ${total}`);
  }
  for (const server of sick) {
    const neighbour = sick.find((other) => other !== server && sameZone(server, other));
    if (neighbour) {
      return refuse(
        'majority',
        `${label(server)} and ${label(neighbour)} are both sick in ${server.availabilityZone}, which looks like the zone`,
      );
    }
  }
  return null;
}

function voters(observation: Observation): number {
  return observation.view?.members.filter(({ learner }) => !learner).length ?? 0;
}

function sameZone(a: Server, b: Server): boolean {
  return a.availabilityZone !== null && a.availabilityZone === b.availabilityZone;
}

/**
 * Rule 2. A booted machine that K3s has not heard of yet does not count as joining: the successor of a dead server waits
 * for exactly this removal, since etcd adds no member while a voter is unreachable.
 */
function inOrder(others: Server[]): Permission | null {
  const learner = others.find((server) => isLearner(server) && !isGone(server));
  if (learner) return refuse('order', `${label(learner)} is still a learner`);
  const leaving = others.find((server) => server.node?.deleting === true && !isGone(server));
  if (leaving) return refuse('order', `${label(leaving)} is being deleted`);
  return null;
}

/** Rule 1: the voters left, and how many of them are proven healthy. */
function projection(
  observation: Observation,
  judgement: Judgement,
  retirement: Retirement,
  before: string[],
): Permission {
  const leaving = new Set([retirement.instanceId, ...before]);
  const stay = judgement.servers.filter((server) => isVoter(server) && !leaving.has(server.instanceId));
  // Members of no known instance vote as well: while they stay they count, and prove nothing.
  const leftovers = judgement.retire.filter(({ kind, voter }) => kind === 'leftover' && voter);
  const strangers =
    voters(observation) -
    judgement.servers.filter(isVoter).length -
    leftovers.filter(({ instanceId }) => leaving.has(instanceId)).length;
  const left = stay.length + strangers;
  const proven = stay.filter(isProven);
  const evidence = `${proven.length} of the ${left} voters left are proven healthy`;
  if (proven.length >= majority(left)) return { allowed: true, reason: `${evidence}, a majority remains` };
  const sick = stay.filter((server) => isSick(observation, server));
  if (sick.length > 0) return refuse('majority', `only ${evidence} (sick: ${labels(sick)}): no majority would remain`);
  return refuse('unproven', `only ${evidence}: waiting for proof`);
}

function refuse(obstacle: Obstacle, reason: string): Permission {
  return { allowed: false, obstacle, reason };
}
