/** Takes an instance that is gone out of the inventory: from now on nothing looks for it. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import { recentFailures } from '../cluster/backoff';
import { isReplacement } from '../cluster/judgement';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

const HOUR_MS = 3_600_000;

export interface Deps {
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read' | 'setReplacements'>;
  slots: Pick<Slots, 'read' | 'forget' | 'setFailures'>;
  now(): number;
}

/** @throws LeaseLost */
export async function forgetServer(
  { execution, slot, instanceId, kind }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await deps.leases.require(execution);
  log.info('forgetting server', { kind });
  if (await deps.slots.forget(slot, instanceId)) {
    if (kind === 'failed') await countFailure(slot, deps);
    if (kind !== 'deleted' && isReplacement(kind)) await countReplacement(deps);
    log.info('forgot server', { kind });
  }
  return {};
}

/** What fails to join again and again is launched less and less often. */
async function countFailure(slot: number, { slots, now }: Deps): Promise<void> {
  const { failures } = await slots.read(slot);
  await slots.setFailures(slot, [...recentFailures(failures, now()), now()]);
}

/**
 * Bounds the replacements per hour (safety rule 8). Counted at the end: counted at the beginning, the last one allowed
 * would stand in the way of its own completion when a run dies in between.
 */
async function countReplacement({ records, now }: Deps): Promise<void> {
  const record = await records.read();
  if (record?.desired !== 'present' || record.phase.name !== 'initialised') return;
  const recent = record.replacements.filter((at) => at > now() - HOUR_MS);
  await records.setReplacements(record.incarnation, [...recent, now()]);
}
