/** What other services of the embedded AWS need of Lambda. */

export interface InvokeRequest {
  /** Name, partial ARN or ARN. */
  functionName: string;
  /** JSON text. */
  payload: string;
  /** `Event` queues the event, answers at once and retries twice. */
  invocationType: 'RequestResponse' | 'Event';
  requestId: string;
  /** ARN of the session that must be allowed to; a service with a permission of the function needs none. */
  caller?: string;
}

export interface InvokeAnswer {
  /** 200, or 202 for a queued event. */
  statusCode: number;
  /** JSON text of the result or of the error object; empty for a queued event. */
  payload: string;
  /** Set when the function failed. */
  functionError?: 'Unhandled';
  /** The end of the invocation's log, when it ran. */
  log?: string;
}

export interface LambdaInvoker {
  /** @throws AwsError ResourceNotFoundException and whatever a fault injects; AccessDeniedException. */
  invoke(request: InvokeRequest): Promise<InvokeAnswer>;
}
