/**
 * The errors of a state machine execution and how Retry and Catch match them.
 * Source: AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows"; Amazon States Language
 * specification, appendix A.
 */

/** AWS's limit for a state's input, output, arguments and each assigned variable, in UTF-8 bytes. */
export const PAYLOAD_LIMIT = 262_144;

/** A state reported an error. `error` is its name as `ErrorEquals` matches it. */
export class StatesError extends Error {
  override readonly name = 'StatesError';

  constructor(
    readonly error: string | undefined,
    override readonly cause: string | undefined,
  ) {
    super(`${error ?? 'unnamed error'}${cause === undefined ? '' : `: ${cause}`}`);
  }
}

/** `$states.errorOutput`. */
export function errorOutput({ error, cause }: StatesError): { Error?: string; Cause?: string } {
  return { ...(error === undefined ? {} : { Error: error }), ...(cause === undefined ? {} : { Cause: cause }) };
}

/** An expression failed. `location` is the field it stands in. */
export class QueryEvaluationError extends StatesError {
  constructor(
    cause: string,
    readonly location: string,
    readonly state: string,
  ) {
    super('States.QueryEvaluationError', cause);
  }
}

const TIMEOUTS = ['States.Timeout', 'States.HeartbeatTimeout'];

/**
 * Whether one of the names in `ErrorEquals` covers the error. States.ALL does not cover States.DataLimitExceeded, and
 * nothing covers States.Runtime; States.TaskFailed covers everything that States.ALL does except timeouts;
 * States.Timeout covers a missed heartbeat too.
 */
export function matches(errorEquals: readonly string[], { error }: StatesError): boolean {
  if (error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === error) return true;
    if (name === 'States.Timeout') return error === 'States.HeartbeatTimeout';
    if (error === 'States.DataLimitExceeded') return false;
    if (name === 'States.TaskFailed') return !TIMEOUTS.includes(error ?? '');
    return name === 'States.ALL';
  });
}
