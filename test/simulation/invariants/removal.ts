/** What must be true when a server is taken away: of the machine by EC2, of the member by K3s. */
import type { Instance } from '../../../local/aws/ec2';
import type { CensusMember } from '../../../local/k3s';
import type { Stage } from '../stage';
import { instanceOf } from '../truth';
import type { Check, Steps } from './steps';

/**
 * How old positive evidence of health may be, ms: K3s' Node is Ready for 50 s after its last heartbeat, the load
 * balancer believes in a target for three checks of 10 s, and a look takes some seconds.
 */
const EVIDENCE_MS = 75_000;
/** For how long signals agree before a server is replaced, ms; the truth is looked at every few seconds. */
const DWELL_MS = 90_000 - 5000;
/** Who has been well for so long, ms, has no signal against it any more: three checks of the load balancer and a look. */
const WELL_MS = 75_000;
/** How old evidence may be since etcd has a leader again, ms: all grace periods begin anew then. */
const LATE_MS = EVIDENCE_MS + 15_000;

/** Whether the person wants it all gone, or nothing has joined anything yet: then there is no majority to keep. */
export const isExempt = ({ truth: { wanted } }: Stage) => wanted.desired === 'absent' || wanted.phase !== 'initialised';

/** Voters that would be left without this instance, and how many of them are healthy by the evidence there can be. */
function without(
  instanceId: string | undefined,
  { truth }: Stage,
  members: readonly CensusMember[] = truth.votingLately(EVIDENCE_MS)?.members ?? [],
  isExcused: (voter: CensusMember) => boolean = () => false,
): { left: number; healthy: number } {
  const voters = members.filter(({ learner }) => !learner);
  const stay = voters.filter((member) => instanceOf(member) !== instanceId);
  const healthy = stay.filter(
    (member) => truth.servedAgo(instanceOf(member) ?? '') <= EVIDENCE_MS || isExcused(member),
  );
  return { left: stay.length, healthy: healthy.length };
}

export const majorityStays: Check<Instance> = ({ instanceId }, stage) => {
  if (isExempt(stage)) return null;
  const { left, healthy } = without(instanceId, stage);
  if (left > 0 && healthy * 2 > left) return null;
  return `${stage.label(instanceId)} is terminated and ${healthy} of the ${left} voters left are healthy`;
};

export const nothingIsDestroyedWithoutMajority: Check<Instance> = ({ instanceId }, stage) => {
  const { lostSince, now } = stage.truth;
  if (isExempt(stage) || lostSince === undefined || now - lostSince < EVIDENCE_MS) return null;
  return `${stage.label(instanceId)} is terminated although nobody could write for ${(now - lostSince) / 1000} s`;
};

export const healthyIsKept: Check<Instance> = ({ instanceId }, stage) => {
  const { truth } = stage;
  if (isExempt(stage) || (truth.soundAgo(instanceId) >= DWELL_MS && truth.wellFor(instanceId) < WELL_MS)) return null;
  const slot = truth.slotOf(instanceId);
  const successor = truth.living.some(
    (other) =>
      other.instanceId !== instanceId &&
      truth.slotOf(other.instanceId) === slot &&
      truth.wellAgo(other.instanceId) <= EVIDENCE_MS,
  );
  if (successor) return null;
  const wellFor = truth.wellFor(instanceId);
  const when =
    wellFor > 0
      ? `in good health for ${wellFor / 1000} s`
      : `${truth.soundAgo(instanceId) / 1000} s after it was in lasting good health`;
  return `${stage.label(instanceId)} is terminated ${when}`;
};

export const nobodyElseIsOnTheMove: Check<Instance> = ({ instanceId }, stage) => {
  const { truth } = stage;
  if (isExempt(stage)) return null;
  const learner = truth.voting?.members.find((member) => member.learner && instanceOf(member) !== instanceId);
  if (!learner?.running) return null;
  return `${stage.label(instanceId)} is terminated while ${stage.label(instanceOf(learner) ?? '')} is a learner`;
};

export const fencedBeforeRemoval: Check<Steps['removal']> = ({ member }, stage) => {
  // etcd gives up by itself on a learner that makes no progress for five minutes.
  const instanceId = instanceOf(member);
  if (member.learner || instanceId === undefined) return null;
  const instance = stage.truth.instance(instanceId);
  if (!instance || instance.state === 'terminated') return null;
  return `the member of ${stage.label(instanceId)} is removed while EC2 says ${instance.state}`;
};

export const noNodeGoesBeforeItsMachine: Check<string> = (name, stage) => {
  const state = stage.truth.instance(name)?.state ?? 'terminated';
  return state === 'terminated' ? null : `the Node of ${stage.label(name)} is deleted while EC2 says ${state}`;
};

export const majorityStaysInEtcd: Check<Steps['removal']> = ({ member, cluster }, stage) => {
  if (member.learner || isExempt(stage)) return null;
  // As soon as etcd has a leader again K3s carries out what it was asked for before, and Nodes count as Ready until they are
  // found not to be: nobody can have newer proof by then.
  const late = stage.truth.now - stage.truth.regainedAt <= LATE_MS;
  // Of its own cluster, although that may have lost its leader since: it is noticed within a second.
  const { left, healthy } = without(instanceOf(member), stage, cluster.members, ({ running }) => late && running);
  if (left > 0 && healthy * 2 > left) return null;
  return `a member is removed and ${healthy} of the ${left} voters left are healthy`;
};
