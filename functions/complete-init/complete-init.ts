/** Closes the latch for good: the cluster exists, and never will be initialised again in this life. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Leases } from '../aws/lease';
import { LatchRefused } from '../cluster/errors';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read' | 'completeInit'>;
}

/**
 * @throws LeaseLost
 * @throws LatchRefused: the latch names another instance, or the cluster is another one
 */
export async function completeInit(
  { execution, instanceId, caHash, k3sVersion }: z.infer<typeof Input>,
  { leases, records }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  log.info('completing initialisation');
  if (!(await records.completeInit(instanceId, caHash, k3sVersion))) {
    const record = await records.read();
    // Done by an earlier attempt of this step.
    if (record?.phase.name === 'initialised' && record.phase.caHash === caHash) return {};
    throw new LatchRefused(`${instanceId} may not complete the initialisation: the cluster is ${record?.phase.name}`);
  }
  log.info('completed initialisation', { caHash, k3sVersion });
  return {};
}
