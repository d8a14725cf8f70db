/** Lets the load balancer send traffic to a server as soon as its health checks say so. */
import type * as z from 'zod/mini';
import { explain, isInvalidTarget } from '../aws/errors';
import type { Leases } from '../aws/lease';
import type { Targets } from '../aws/targets';
import { ServerLost } from '../cluster/errors';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require'>;
  targets: Pick<Targets, 'register'>;
}

/**
 * @throws LeaseLost
 * @throws ServerLost: the instance does not run
 */
export async function registerTargets(
  { execution, instanceId }: z.infer<typeof Input>,
  { leases, targets }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  log.info('registering targets');
  try {
    const targetGroups = await targets.register(instanceId);
    log.info('registered targets', { targetGroups });
    return { instanceId, targetGroups };
  } catch (error) {
    if (!isInvalidTarget(error)) throw error;
    throw new ServerLost(`${instanceId} cannot be a target: ${explain(error)}`, { cause: error });
  }
}
