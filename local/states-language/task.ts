/** Task states: one attempt to run the task, under its timeouts. */
import type { Timer } from '../clock';
import { linked, orAbort } from './abort';
import { flows, type StateMachine, type TaskState } from './definition';
import { StatesError } from './errors';
import { data, reason } from './history';
import type { Json } from './json';
import type { Visit } from './visit';

const CALLBACK = '.waitForTaskToken';
const SERVICE = 'arn:aws:states:::';

/** What an integration is asked to do. */
export interface TaskRequest {
  /** Without `.waitForTaskToken`. */
  resource: string;
  arguments: Json;
  /** Of the execution. */
  executionArn: string;
  roleArn: string;
  /** Aborts when the execution no longer waits for the task. */
  signal: AbortSignal;
}

/** Runs a task. Rejects with a StatesError for what the workflow may catch; anything else is a defect. */
export type TaskRunner = (request: TaskRequest) => Promise<Json>;

/** AWS's bounds for timeouts and heartbeats, in seconds. */
const SECONDS = { from: 1, to: 99_999_999 };

/** The integration's name and operation as history events show them: `lambda` and `invoke`. */
function resourceOf(resource: string): { resourceType: string; resource: string } {
  const name = resource.startsWith(SERVICE) ? resource.slice(SERVICE.length) : resource;
  const colon = name.lastIndexOf(':');
  return { resourceType: name.slice(0, Math.max(0, colon)), resource: name.slice(colon + 1) };
}

const integrationOf = (resource: string): string =>
  resource.endsWith(CALLBACK) ? resource.slice(0, -CALLBACK.length) : resource;

/** The integrations a state machine needs a runner for, with the first state that needs each. */
export function listResources(machine: StateMachine): Map<string, string> {
  const found = new Map<string, string>();
  for (const { flow } of flows(machine))
    for (const [name, state] of Object.entries(flow.States))
      if (state.Type === 'Task' && !found.has(integrationOf(state.Resource)))
        found.set(integrationOf(state.Resource), name);
  return found;
}

/** Schedules the task once and waits for its result. */
export async function attemptTask(visit: Visit<TaskState>): Promise<Json> {
  const { run, state } = visit;
  const attempt = linked(visit.around.signal);
  let beat = () => {};
  const callback = state.Resource.endsWith(CALLBACK) ? run.tokens.open(() => beat()) : undefined;
  const timers: Timer[] = [];
  try {
    const extra = callback ? { token: callback.token } : {};
    const timeout = await visit.integer(state.TimeoutSeconds, 'TimeoutSeconds', SECONDS, extra);
    const heartbeat = await visit.integer(state.HeartbeatSeconds, 'HeartbeatSeconds', SECONDS, extra);
    const parameters =
      state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments', extra);
    visit.limit(parameters, state.Resource);

    const resource = resourceOf(state.Resource);
    visit.record('TaskScheduled', {
      taskScheduledEventDetails: {
        ...resource,
        region: run.region,
        parameters: JSON.stringify(parameters),
        ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
        ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
      },
    });
    visit.record('TaskStarted', { taskStartedEventDetails: resource });

    const expire = (seconds: number, error: string) =>
      run.clock.after(seconds * 1000, () => attempt.abort(new StatesError(error, undefined)));
    if (timeout !== undefined) timers.push(expire(timeout, 'States.Timeout'));
    if (heartbeat !== undefined && callback) {
      let pending = expire(heartbeat, 'States.HeartbeatTimeout');
      timers.push({ cancel: () => pending.cancel() });
      beat = () => {
        pending.cancel();
        pending = expire(heartbeat, 'States.HeartbeatTimeout');
      };
    }

    try {
      const request = {
        resource: integrationOf(state.Resource),
        arguments: parameters,
        executionArn: run.executionArn,
        roleArn: run.roleArn,
        signal: attempt.signal,
      };
      const answer = await orAbort(run.task(request), attempt.signal);
      let result = answer;
      if (callback) {
        visit.record('TaskSubmitted', { taskSubmittedEventDetails: { ...resource, ...data('output', answer) } });
        result = await orAbort(callback.result, attempt.signal);
      }
      visit.limit(result, state.Resource);
      visit.record('TaskSucceeded', { taskSucceededEventDetails: { ...resource, ...data('output', result) } });
      return result;
    } catch (error) {
      if (visit.around.signal.aborted || !(error instanceof StatesError)) throw error;
      if (attempt.signal.aborted)
        visit.record('TaskTimedOut', { taskTimedOutEventDetails: { ...resource, ...reason(error) } });
      else visit.record('TaskFailed', { taskFailedEventDetails: { ...resource, ...reason(error) } });
      throw error;
    }
  } finally {
    for (const timer of timers) timer.cancel();
    callback?.close();
    attempt.release();
  }
}
