/**
 * The optimized integration `arn:aws:states:::lambda:invoke`.
 * Source: Step Functions Developer Guide, "Invoke an AWS Lambda function with Step Functions".
 */
import { z } from 'zod';
import { type Json, StatesError, type TaskRunner } from '../../states-language';
import { sessionArn } from '../iam/authority';
import type { LambdaInvoker } from '../lambda/invoker';
import { AwsError } from '../service';

export const LAMBDA_INVOKE = 'arn:aws:states:::lambda:invoke';

const ARGUMENTS = z.strictObject({
  FunctionName: z.string().min(1),
  Payload: z.json().default({}),
  InvocationType: z.enum(['RequestResponse', 'Event']).default('RequestResponse'),
});

const FUNCTION_ERROR = z.object({ errorType: z.string().min(1) });

/**
 * A failed call of another service's API: `<Service>.<Code>`, as the SDK names its exceptions. The SDK of the integration
 * has no exception for a refusal of Lambda: it is a `Lambda.AWSLambdaException`, as in
 * https://github.com/awslabs/aws-deployment-framework/issues/460
 */
export function serviceError(service: string, error: unknown, requestId: string): unknown {
  if (!(error instanceof AwsError)) return error;
  if (service === 'Lambda' && error.code === 'AccessDeniedException') {
    return new StatesError(
      'Lambda.AWSLambdaException',
      `${error.message} (Service: AWSLambda; Status Code: ${error.status}; Error Code: ${error.code}; Request ID: ${requestId}; Proxy: null)`,
    );
  }
  return new StatesError(
    `${service}.${error.code}`,
    `${error.message} (Service: ${service}, Status Code: ${error.status}, Request ID: ${requestId})`,
  );
}

/** Runs `lambda:invoke` tasks through the Lambda service, with the parameters of its API. */
export function lambdaInvoke(lambda: LambdaInvoker, newRequestId: () => string): TaskRunner {
  return async ({ arguments: given, roleArn, executionArn }) => {
    const parsed = ARGUMENTS.safeParse(given);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'Arguments'}: ${message}`);
      throw new StatesError('States.Runtime', `The arguments of ${LAMBDA_INVOKE} are not valid: ${faults.join('; ')}`);
    }
    const { FunctionName, Payload, InvocationType } = parsed.data;
    const requestId = newRequestId();
    const answer = await lambda
      .invoke({
        functionName: FunctionName,
        payload: JSON.stringify(Payload),
        invocationType: InvocationType,
        requestId,
        caller: sessionArn(roleArn, executionArn.slice(executionArn.lastIndexOf(':') + 1)),
      })
      .catch((error: unknown) => {
        throw serviceError('Lambda', error, requestId);
      });
    if (answer.functionError !== undefined) {
      const named = FUNCTION_ERROR.safeParse(parse(answer.payload));
      throw new StatesError(named.success ? named.data.errorType : 'Lambda.Unknown', answer.payload);
    }
    return result(answer.statusCode, parse(answer.payload), requestId);
  };
}

/** What the state sees as `$states.result`: the API's answer with the HTTP metadata of its transport. */
function result(statusCode: number, payload: Json, requestId: string): Json {
  const headers = {
    'X-Amz-Executed-Version': '$LATEST',
    'x-amzn-RequestId': requestId,
    'Content-Type': 'application/json',
  };
  return {
    ExecutedVersion: '$LATEST',
    Payload: payload,
    SdkHttpMetadata: {
      AllHttpHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      HttpHeaders: headers,
      HttpStatusCode: statusCode,
    },
    SdkResponseMetadata: { RequestId: requestId },
    StatusCode: statusCode,
  };
}

/** A function answers with JSON; an asynchronous call with nothing. */
const parse = (payload: string): Json => (payload === '' ? '' : JSON.parse(payload));
