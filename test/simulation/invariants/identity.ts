/** What the cluster is: one, and the one that was initialised. */
import type { Instance } from '../../../local/aws/ec2';
import type { Check } from './steps';

export const oneCluster: Check<null> = (_, { truth }) => {
  const [first, second] = truth.clusters;
  return first && second ? `two clusters run at once, ${first.uuid} and ${second.uuid}` : null;
};

export const theInitialisedOne: Check<null> = (_, { truth }) => {
  const { phase, caHash } = truth.wanted;
  const [cluster] = truth.clusters;
  if (truth.authority !== undefined && caHash !== truth.authority)
    return `the record says ${caHash?.slice(0, 8) ?? phase}, and ${truth.authority.slice(0, 8)} was initialised`;
  if (phase !== 'initialised' || !cluster || cluster.caHash === caHash) return null;
  return `the record says ${caHash?.slice(0, 8)} and ${cluster.caHash.slice(0, 8)} runs`;
};

export const onePerSlotAndOneSurge: Check<Instance> = ({ instanceId }, stage) => {
  const { living } = stage.truth;
  const taken = new Set(living.map((other) => stage.truth.slotOf(other.instanceId)));
  const surges = living.length - taken.size;
  return surges > 1 ? `${stage.label(instanceId)} makes ${living.length} instances in ${taken.size} slots` : null;
};

/** However often a launch is tried, and wherever it dies: that is what makes it a retry. */
export const onePerGeneration: Check<Instance> = ({ instanceId }, { truth }) => {
  const twins = truth.twinsOf(instanceId);
  return twins.length > 1 ? `one launch has led to ${twins.join(' and ')}, in slot ${truth.slotOf(instanceId)}` : null;
};

const HOUR_MS = 3_600_000;
/** Replacements per rolling hour. */
const LIMIT = 3;

export const boundedReplacements: Check<Instance> = (_, { truth }) => {
  const recent = truth.replacementsSince(truth.now - HOUR_MS);
  return recent > LIMIT ? `${recent} servers were replaced within an hour` : null;
};

export const onlyWhatIsWanted: Check<Instance> = ({ instanceId }, stage) =>
  stage.truth.wanted.desired === 'present' ? null : `${stage.label(instanceId)} is launched and nobody wants a cluster`;
