/**
 * Answers CloudFormation, which waits at a URL for what came of a custom resource's request: up to its timeout, so that
 * whatever happens must be an answer.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
 */
import type { CustomResourceEvent } from '../contracts';
import type { Logger } from './log';
import type { Platform } from './platform';

export interface Outcome {
  status: 'SUCCESS' | 'FAILED';
  /** CloudFormation shows it when the request failed. */
  reason: string;
  /** Kept as long as the resource has one already: another would make CloudFormation delete the old. */
  physicalId: string;
}

/** @throws when the answer is not accepted */
export async function answer(
  event: CustomResourceEvent,
  { status, reason, physicalId }: Outcome,
  fetch: Platform['fetch'],
  log: Logger,
): Promise<Pick<Outcome, 'status'>> {
  log.info('answering CloudFormation', { request: event.RequestType, status, reason });
  const body = JSON.stringify({
    Status: status,
    Reason: reason,
    PhysicalResourceId: event.PhysicalResourceId ?? physicalId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  // The URL is presigned for S3 with an empty content type; with any other the signature would not match. AWS's own
  // cfn-response module sends the same: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
  const response = await fetch(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body });
  if (!response.ok) throw new Error(`CloudFormation's response URL answered ${response.status}`);
  log.info('answered CloudFormation', { status });
  return { status };
}
