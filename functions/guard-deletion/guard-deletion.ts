/**
 * A CloudFormation custom resource that exists only to be deleted: deleting the stack while instances run would leave
 * them without anything that knows of them.
 */
import { explain } from '../aws/errors';
import type { Instances } from '../aws/instances';
import type { Slots } from '../aws/slots';
import type { CustomResourceEvent } from '../contracts';
import { answer, type Outcome } from '../runtime/answer';
import type { Logger } from '../runtime/log';
import type { Platform } from '../runtime/platform';

export interface Deps {
  cluster: string;
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'byTag' | 'byId'>;
  fetch: Platform['fetch'];
}

export async function guardDeletion(
  event: CustomResourceEvent,
  deps: Deps,
  log: Logger,
): Promise<Pick<Outcome, 'status'>> {
  const objection = event.RequestType === 'Delete' ? await object(deps, log) : null;
  const status = objection === null ? 'SUCCESS' : 'FAILED';
  const reason = objection ?? 'no instance of the cluster exists';
  return answer(event, { status, reason, physicalId: `${deps.cluster}-deletion-guard` }, deps.fetch, log);
}

/** Null: the stack may go. That nobody could look is an objection too. */
async function object({ cluster, slots, instances }: Deps, log: Logger): Promise<string | null> {
  try {
    const inventory = (await slots.readAll()).flatMap((slot) => slot.instances.map(({ instanceId }) => instanceId));
    const machines = [...(await instances.byTag()), ...(await instances.byId(inventory))];
    const existing = new Set(
      machines.filter(({ state }) => state !== 'terminated').map(({ instanceId }) => instanceId),
    );
    if (existing.size === 0) return null;
    return (
      `instances of cluster ${cluster} still exist: ${[...existing].join(', ')}. ` +
      `Start the delete workflow with {"confirm":"${cluster}"} first.`
    );
  } catch (error) {
    log.error('looking for instances failed', { reason: explain(error) });
    return `it is not known whether instances of cluster ${cluster} still exist: ${explain(error)}`;
  }
}
