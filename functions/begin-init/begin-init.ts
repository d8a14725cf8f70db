/** Latches the cluster to the one instance that may initialise it (safety rule 12). */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Instances } from '../aws/instances';
import type { Leases } from '../aws/lease';
import { LatchRefused } from '../cluster/errors';
import type { ClusterRecord } from '../cluster/observation';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  k3sVersion: string;
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read' | 'beginInit' | 'moveInit'>;
  instances: Pick<Instances, 'find'>;
}

/**
 * @throws LeaseLost
 * @throws LatchRefused: the cluster is initialised, or another instance may still be initialising it
 */
export async function beginInit(
  { execution, instanceId }: z.infer<typeof Input>,
  { k3sVersion, leases, records, instances }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  const record = await records.read();
  if (isLatchedTo(record, instanceId)) return {};
  log.info('latching cluster', { phase: record?.phase.name });
  const latched = await latch(record);
  // A false answer may hide a write that took effect: only the record knows.
  if (!latched && !isLatchedTo(await records.read(), instanceId)) {
    throw new LatchRefused(`the record changed while ${instanceId} was to initialise the cluster`);
  }
  log.info('latched cluster');
  return {};

  async function latch(found: ClusterRecord | null): Promise<boolean> {
    if (found?.desired !== 'present') throw new LatchRefused('the cluster is not wanted: it is not initialised');
    const { phase } = found;
    if (phase.name === 'initialised') throw new LatchRefused('the cluster is initialised: it never is a second time');
    if (phase.name === 'uninitialised') return records.beginInit(instanceId, k3sVersion);
    const former = await instances.find(phase.instanceId);
    // Nothing can have joined it: the latch would be `initialised`. Terminated is for ever; anything else may yet run.
    // One that EC2 does not name is no proof either, it may have been launched a moment ago.
    if (former?.state !== 'terminated') {
      throw new LatchRefused(
        `${phase.instanceId} is initialising the cluster and is ${former?.state ?? 'not known to EC2'}`,
      );
    }
    return records.moveInit(phase.instanceId, instanceId, k3sVersion);
  }
}

function isLatchedTo(record: ClusterRecord | null, instanceId: string): boolean {
  return (
    record?.desired === 'present' && record.phase.name === 'initialising' && record.phase.instanceId === instanceId
  );
}
