/** Whether nothing is left to be done, and nothing is left behind (safety rule 11). */
import type { Stage } from '../stage';

export function isSettled(stage: Stage): boolean {
  const { truth, running } = stage;
  if (running.length > 0 || truth.holder !== undefined) return false;
  return truth.wanted.desired === 'absent' ? isGone(stage) : isWhole(stage);
}

/** Nothing exists that was launched. */
function isGone({ truth, cluster }: Stage): boolean {
  const instances = cluster.aws.services.ec2.instances();
  return truth.living.length === 0 && instances.every(({ state }) => state === 'terminated') && targets(cluster) === 0;
}

const targets = (cluster: Stage['cluster']) =>
  cluster.aws.services.elbv2.targetGroups().reduce((sum, group) => sum + group.targets.length, 0);

/** Every slot has one server, a Ready voter to which every target group sends traffic, and there is nobody else. */
function isWhole({ truth, cluster }: Stage): boolean {
  const { living, voting, wanted } = truth;
  if (wanted.phase !== 'initialised' || living.length !== 3 || voting?.members.length !== 3) return false;
  if (living.some(({ instanceId }) => truth.wellFor(instanceId) === 0)) return false;
  if (new Set(living.map(({ instanceId }) => truth.slotOf(instanceId))).size !== 3) return false;
  const { nodes, targetGroups, instances } = cluster.state;
  const ids = living.map(({ instanceId }) => instanceId).sort();
  const same = (others: string[]) => JSON.stringify(others.sort()) === JSON.stringify(ids);
  return (
    instances.every(({ state, instanceId }) => state === 'terminated' || ids.includes(instanceId)) &&
    same(nodes.map(({ name }) => name)) &&
    nodes.every(({ ready, deleting }) => ready === 'True' && !deleting) &&
    targetGroups.every(({ healthy, targets }) => healthy === 3 && same(targets.map(({ id }) => id)))
  );
}
