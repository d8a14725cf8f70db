/** The fence: what comes after it relies on the instance never running again. It cannot be undone. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Instances } from '../aws/instances';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import { RetirementRefused } from '../cluster/errors';
import type { Observation } from '../cluster/observation';
import { mayRemove } from '../cluster/quorum';
import { isGone } from '../cluster/readiness';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'find' | 'terminate'>;
  observe(): Promise<Observation>;
}

/**
 * @throws LeaseLost
 * @throws RetirementRefused: a fresh look says that it must stay
 */
export async function terminateServer(
  { execution, instanceId, purpose, reason }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await deps.leases.require(execution);
  const exists = purpose === 'retire' ? await mayRetire(instanceId, deps, log) : await mayDelete(instanceId, deps);
  if (!exists) return { instanceId };
  // Looking took a while. A lease that was lost meanwhile has another holder, with other plans (safety rule 3).
  await deps.leases.require(execution);
  log.info('terminating server', { reason });
  await deps.instances.terminate(instanceId);
  log.info('terminated server');
  return { instanceId };
}

/** False: nothing is left to terminate. Its member may still be there, so the majority is asked about even then. */
async function mayRetire(instanceId: string, { observe }: Deps, log: Logger): Promise<boolean> {
  const observation = await observe();
  const instance = observation.instances.find((candidate) => candidate.instanceId === instanceId);
  const gone = !instance || isGone(instance);
  const permission = mayRemove(observation, instanceId);
  if (!permission.allowed && !(gone && permission.obstacle === 'moot')) throw new RetirementRefused(permission.reason);
  log.info('retirement permitted', { permission: permission.reason });
  return !gone;
}

/** False: nothing is left to terminate. */
async function mayDelete(instanceId: string, { records, slots, instances }: Deps): Promise<boolean> {
  const record = await records.read();
  if (record?.desired !== 'absent') throw new RetirementRefused('the cluster is wanted: its servers are not deleted');
  const machine = await instances.find(instanceId);
  if (machine?.state === 'terminated' || machine?.state === 'shutting-down') return false;
  const inventory = (await slots.readAll()).flatMap((slot) => slot.instances);
  const ours = machine?.tags || inventory.some((launch) => launch.instanceId === instanceId);
  if (!ours) throw new RetirementRefused(`${instanceId} is not a server of this cluster`);
  return true;
}
