/**
 * A CloudFormation custom resource that exists only to be deleted: deleting the stack while instances run would leave
 * them without anything that knows of them. CloudFormation waits for an answer at the response URL, up to an hour, so
 * whatever happens here is an answer.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
 */
import type * as z from 'zod/mini';
import { explain } from '../aws/errors';
import type { Instances } from '../aws/instances';
import type { Slots } from '../aws/slots';
import type { Logger } from '../runtime/log';
import type { Platform } from '../runtime/platform';
import type { Input, Output } from './contract';

export interface Deps {
  cluster: string;
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'byTag' | 'byId'>;
  fetch: Platform['fetch'];
}

type Event = z.infer<typeof Input>;
type Answer = z.infer<typeof Output>;

export async function guardDeletion(event: Event, deps: Deps, log: Logger): Promise<Answer> {
  const objection = event.RequestType === 'Delete' ? await object(deps, log) : null;
  const status = objection === null ? 'SUCCESS' : 'FAILED';
  log.info('answering CloudFormation', { request: event.RequestType, status, reason: objection });
  const body = JSON.stringify({
    Status: status,
    Reason: objection ?? 'no instance of the cluster exists',
    PhysicalResourceId: event.PhysicalResourceId ?? `${deps.cluster}-deletion-guard`,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  // The URL is presigned for S3 with an empty content type; with any other the signature would not match. AWS's own
  // cfn-response module sends the same: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
  const response = await deps.fetch(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body });
  if (!response.ok) throw new Error(`CloudFormation's response URL answered ${response.status}`);
  log.info('answered CloudFormation', { status });
  return { status };
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
