/** The point from which nothing heals or creates servers any more. Only a deletion gets here. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Leases } from '../aws/lease';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'want'>;
  uuid(): string;
}

/** @throws LeaseLost */
export async function markAbsent(
  { execution }: z.infer<typeof Input>,
  { leases, records, uuid }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  log.info('marking cluster absent');
  await records.want('absent', uuid());
  log.info('marked cluster absent');
  return {};
}
