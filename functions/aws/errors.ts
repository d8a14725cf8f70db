/**
 * The only place that names AWS error codes. Everything else asks `isNotFound(error)`.
 * Codes: the API references' common errors and the services' own lists, as the SDK exposes them in `name`.
 */
import { Throttled } from '../cluster/errors';

const THROTTLES = [
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  'EC2ThrottledException',
  'BandwidthLimitExceeded',
  'SlowDown',
  'PriorRequestNotComplete',
];

const OUTAGES = [
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'Unavailable',
  'RequestTimeout',
  'RequestTimeoutException',
  'TimeoutError',
];

const CONNECTION_FAULTS = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'];

/** EC2's "not here, not now, not of this type": the next instance type may do. */
const CAPACITY = [
  'InsufficientInstanceCapacity',
  'InsufficientHostCapacity',
  'InsufficientReservedInstanceCapacity',
  'InsufficientCapacity',
];
const UNSUPPORTED = ['Unsupported'];

/** The client token belongs to another request, or to an instance that is gone: only a new token helps. */
const TOKEN_SPENT = ['IdempotentParameterMismatch', 'IdempotentInstanceTerminated'];

const NOT_FOUND = [
  'InvalidInstanceID.NotFound',
  'InvalidInstanceId.NotFound',
  'ExecutionDoesNotExist',
  'InvocationDoesNotExist',
  'ResourceNotFoundException',
];

interface Coded {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  $metadata?: { httpStatusCode?: number };
}

const coded = (error: unknown): Coded => (typeof error === 'object' && error !== null ? error : {});
const named = (error: unknown, names: readonly string[]) => names.some((name) => name === coded(error).name);

export const isThrottle = (error: unknown) => named(error, THROTTLES) || coded(error).$metadata?.httpStatusCode === 429;

/** A lack of capacity comes with status 500, although it is an answer and no fault: EC2's list of server error codes. */
export const isCapacity = (error: unknown) => named(error, CAPACITY);

/** AWS failed or never answered. The request may have taken effect. */
export const isOutage = (error: unknown) =>
  named(error, OUTAGES) ||
  CONNECTION_FAULTS.some((code) => code === coded(error).code) ||
  ((coded(error).$metadata?.httpStatusCode ?? 0) >= 500 && !isCapacity(error));

/** AWS understood the request and will not have it: sending it again changes nothing. */
export const isRefusal = (error: unknown) => {
  const status = coded(error).$metadata?.httpStatusCode ?? 0;
  return (status >= 400 && status < 500 && !isThrottle(error)) || isCapacity(error);
};

export const isUnsupported = (error: unknown) => named(error, UNSUPPORTED);
export const isTokenSpent = (error: unknown) => named(error, TOKEN_SPENT);
export const isNotFound = (error: unknown) => named(error, NOT_FOUND);
/** SSM: no agent is registered for it, or the instance is in no state to take commands. */
export const isInvalidInstance = (error: unknown) => named(error, ['InvalidInstanceId']);
/** ELB: the instance is not running, or gone. */
export const isInvalidTarget = (error: unknown) => named(error, ['InvalidTarget', 'InvalidTargetException']);
/** Step Functions: the name was used, with another input or by an execution that has ended. */
export const isAlreadyStarted = (error: unknown) => named(error, ['ExecutionAlreadyExists']);
/** DynamoDB: the condition of a write did not hold. */
export const isConditionFailed = (error: unknown) => named(error, ['ConditionalCheckFailedException']);

/** What AWS said, for people: its code and its message. */
export function explain(error: unknown): string {
  const { name, message } = coded(error);
  return typeof message === 'string' && message !== '' ? `${String(name)}: ${message}` : String(name ?? error);
}

/** AWS failed or did not answer in time, after the SDK's own attempts. Send it again later. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/**
 * Runs one call. Faults that have nothing to do with the request get the names that every contract lists.
 * @throws Throttled, Unavailable; otherwise what AWS answered
 */
export async function attempt<T>(operation: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isThrottle(error)) throw new Throttled(`${operation} was throttled: ${explain(error)}`, { cause: error });
    if (isOutage(error)) throw new Unavailable(`${operation} did not succeed: ${explain(error)}`, { cause: error });
    throw error;
  }
}
