/** Ends traffic to a server, before it ends itself. */
import type * as z from 'zod/mini';
import type { Leases } from '../aws/lease';
import type { Targets } from '../aws/targets';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  targets: Pick<Targets, 'deregister'>;
}

/** @throws LeaseLost */
export async function deregisterTargets(
  { execution, instanceId }: z.infer<typeof Input>,
  { leases, targets }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  log.info('deregistering targets');
  const targetGroups = await targets.deregister(instanceId);
  log.info('deregistered targets', { targetGroups });
  return { instanceId, targetGroups };
}
