/** Whether nothing is left to be done, and nothing is left behind (safety rule 11). */
import { z } from 'zod';
import { shortName } from '../journal';
import type { Stage } from '../stage';

/** The item `slot/<n>` of the table: the inventory. */
const SLOT = z.object({
  id: z.object({ S: z.string().startsWith('slot/') }),
  instances: z.object({ M: z.looseObject({}) }),
});

/**
 * What is not as it is to be, a phrase each; nothing when all is well.
 * @param all even while somebody is at work on it
 */
export function unsettled(stage: Stage, all = false): string[] {
  const { truth, running } = stage;
  const { holder } = truth;
  const busy = running.map(({ name }) => `${shortName(name)} runs`);
  if (holder !== undefined && busy.length === 0)
    busy.push(`the lease is held by ${shortName(holder.split(':').at(-1) ?? '')}`);
  if (busy.length > 0 && !all) return busy;
  return [...busy, ...(truth.wanted.desired === 'absent' ? remains(stage) : gaps(stage))];
}

/** Of a deleted cluster: nothing that was launched or registered exists, and nobody looks for anything. */
function remains(stage: Stage): string[] {
  const { ec2, elbv2 } = stage.aws.services;
  return [
    ...ec2
      .instances()
      .filter(({ state }) => state !== 'terminated')
      .map(({ instanceId, state }) => `${stage.label(instanceId)} is ${state}`),
    ...elbv2.targetGroups().flatMap(({ name, targets }) => targets.map(({ id }) => `${name} has the target ${id}`)),
    ...inventory(stage).map((instanceId) => `the inventory has ${instanceId}`),
  ];
}

/**
 * Of a wanted cluster: every slot has one server, a Ready voter to which every target group sends traffic, and every
 * instance, inventoried server, target, etcd member and Node is one of these.
 */
function gaps(stage: Stage): string[] {
  const { truth, cluster } = stage;
  const { living, voting, wanted } = truth;
  if (wanted.phase !== 'initialised') return [`the cluster is ${wanted.phase}`];
  if (!voting) return ['etcd has no leader'];
  const taken = new Set(living.map(({ instanceId }) => truth.slotOf(instanceId)));
  const machines = [
    ...[0, 1, 2].filter((slot) => !taken.has(slot)).map((slot) => `server-${slot} does not exist`),
    ...living
      .filter(({ instanceId }) => truth.wellFor(instanceId) === 0)
      .map(({ instanceId }) => `${stage.label(instanceId)} is not well`),
  ];
  if (machines.length > 0) return machines;
  const { nodes, targetGroups, instances } = cluster.state;
  const ids = new Set(living.map(({ instanceId }) => instanceId));
  const owners = new Map(living.map(({ privateIp, instanceId }) => [privateIp, instanceId]));
  const differ = (what: string, found: (string | undefined)[]) => [
    ...found
      .filter((id) => id === undefined || !ids.has(id))
      .map((id) => `${what} ${id ?? 'of nobody'} is left behind`),
    ...[...ids].filter((id) => !found.includes(id)).map((id) => `${what} ${id} is missing`),
  ];
  return [
    ...(living.length > taken.size ? [`${living.length} instances live in ${taken.size} slots`] : []),
    ...instances
      .filter(({ state, instanceId }) => state !== 'terminated' && !ids.has(instanceId))
      .map(({ state, instanceId }) => `${stage.label(instanceId)} is ${state}`),
    ...differ('in the inventory', inventory(stage)),
    ...differ(
      'the etcd member',
      voting.members.map(({ address }) => owners.get(address)),
    ),
    ...voting.members.filter(({ learner }) => learner).map(({ name }) => `${name} is a learner`),
    ...differ(
      'the Node',
      nodes.map(({ name }) => name),
    ),
    ...nodes.filter(({ ready, deleting }) => ready !== 'True' || deleting).map(({ name }) => `${name} is not Ready`),
    ...targetGroups.flatMap(({ name, targets, healthy }) => [
      ...differ(
        `in ${name} the target`,
        targets.map(({ id }) => id),
      ),
      ...(healthy < ids.size ? [`${name} has ${healthy} healthy targets`] : []),
    ]),
  ];
}

/** Instances that the table lists. */
function inventory({ aws, cluster }: Stage): string[] {
  return aws.services.dynamodb
    .items(cluster.table)
    .flatMap((item) => Object.keys(SLOT.safeParse(item).data?.instances.M ?? {}));
}
