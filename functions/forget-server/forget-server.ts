/** Takes an instance that is gone out of the inventory: from now on nothing looks for it. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import { departureOf, isRecent } from '../cluster/departures';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'read' | 'forget'>;
  now(): number;
}

/**
 * What is remembered of a server is written together with its leaving. Counted before, the last replacement allowed would
 * stand in the way of its own completion when a run dies in between; counted afterwards, one whose run died, or whose
 * answer was lost, would never be counted.
 * @throws LeaseLost
 */
export async function forgetServer(
  { execution, slot, instanceId, kind }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  const { leases, records, slots, now } = deps;
  await leases.require(execution);
  log.info('forgetting server', { kind });
  const [cluster, { departures }] = await Promise.all([records.read(), slots.read(slot)]);
  const at = now();
  const departure = kind === 'deleted' ? null : departureOf(instanceId, kind, cluster, at);
  const outdated = departures.filter((former) => !isRecent(former, at)).map((former) => former.instanceId);
  if (await slots.forget(slot, instanceId, departure, outdated)) log.info('forgot server', { kind });
  return {};
}
