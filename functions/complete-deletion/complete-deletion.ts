/** Proves that nothing is left, then clears the record, so that a creation works at once. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Instances } from '../aws/instances';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import { TARGET_GROUP_NAMES, type Targets } from '../aws/targets';
import { LeftoversFound } from '../cluster/errors';
import { serverName } from '../cluster/names';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'reset'>;
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'byTag' | 'byId'>;
  targets: Pick<Targets, 'health'>;
  uuid(): string;
}

/**
 * Slot generations survive: client tokens outlive their instances by a day.
 * @throws LeaseLost
 * @throws LeftoversFound, naming each of them
 */
export async function completeDeletion(
  { execution }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await deps.leases.require(execution);
  log.info('completing deletion');
  const leftovers = (await Promise.all([inInventory(deps), byTag(deps), inTargetGroups(deps)])).flat();
  if (leftovers.length > 0) throw new LeftoversFound(leftovers.join('; '));
  if (!(await deps.records.reset(deps.uuid()))) {
    throw new LeftoversFound('the record of the cluster, which says that it is wanted');
  }
  log.info('completed deletion');
  return { deleted: true };
}

async function inInventory({ slots }: Deps): Promise<string[]> {
  const inventory = await slots.readAll();
  return inventory.flatMap(({ slot, instances }) =>
    instances.map(({ instanceId }) => `${instanceId} in the inventory of ${serverName(slot)}`),
  );
}

async function byTag({ instances }: Deps): Promise<string[]> {
  const machines = await instances.byTag();
  return machines
    .filter(({ state }) => state !== 'terminated')
    .map(({ instanceId, state }) => `${instanceId}, ${state}, by its tags`);
}

/**
 * A draining target has been deregistered. An unused one gets no traffic; the load balancer drops it when its instance is
 * terminated, but takes some minutes. An unused one whose instance exists, for instance stopped, would stay.
 */
async function inTargetGroups({ targets, instances }: Deps): Promise<string[]> {
  const groups = await Promise.all(
    TARGET_GROUP_NAMES.map(async (group) =>
      [...(await targets.health(group))].map(([instanceId, health]) => ({ instanceId, health, group })),
    ),
  );
  const registered = groups.flat().filter(({ health }) => health !== 'draining');
  const unused = registered.filter(({ health }) => health === 'unused').map(({ instanceId }) => instanceId);
  const machines = await instances.byId([...new Set(unused)]);
  const existing = new Set(machines.filter(({ state }) => state !== 'terminated').map(({ instanceId }) => instanceId));
  return registered
    .filter(({ instanceId, health }) => health !== 'unused' || existing.has(instanceId))
    .map(({ instanceId, health, group }) => `${instanceId}, ${health}, in target group ${group}`);
}
