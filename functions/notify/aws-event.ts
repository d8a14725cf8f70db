/** Messages about what only AWS can tell: executions that could not speak for themselves, and alarms. */
import * as z from 'zod/mini';
import type { Alert } from './alert';

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
export const EXECUTION_EVENT = z.object({
  source: z.literal('aws.states'),
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({
    executionArn: z.string(),
    name: z.string(),
    status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE']),
    startDate: z.optional(z.nullable(z.number())),
    error: z.optional(z.nullable(z.string())),
    cause: z.optional(z.nullable(z.string())),
  }),
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
export const ALARM_EVENT = z.object({
  source: z.literal('aws.cloudwatch'),
  'detail-type': z.literal('CloudWatch Alarm State Change'),
  detail: z.object({
    alarmName: z.string(),
    state: z.object({ value: z.string(), reason: z.string(), timestamp: z.string() }),
  }),
});

const ENDINGS = { FAILED: 'failed', TIMED_OUT: 'timed out', ABORTED: 'was aborted' } as const;

/** Null: it runs, or it ended well. */
export function executionAlert({ detail }: z.infer<typeof EXECUTION_EVENT>, at: number): Alert | null {
  const { status, name, executionArn, startDate, error, cause } = detail;
  if (status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED') return null;
  const why = [error, cause].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return {
    incident: `execution/${name}/${status}`,
    at,
    headline: `execution ${name} ${ENDINGS[status]}`,
    reason: `The execution ${name} ${ENDINGS[status]}${why ? `: ${why}` : ''}`,
    since: startDate ?? null,
    decision: 'none: it ended without being able to decide; its lease is taken over by the next execution',
    changed: 'see the execution for what it had done by then',
    todo: TODO[status],
    paused: null,
    execution: executionArn,
    runbook: 'execution-ended',
    resolves: false,
  };
}

const TODO = {
  FAILED: 'Read the reason, then start the workflow again: it continues where it stopped.',
  TIMED_OUT:
    'Look at the state in which it waited. While the cluster is initialised, healing goes on by itself; otherwise start the workflow again.',
  ABORTED:
    'If you aborted it to keep healing away, pause healing as well (npm run pause): otherwise it starts again within a minute. If you did not, find out who did.',
} as const;

/** Alarms of ours by the end of their name, with what they mean. */
const ALARMS: Record<string, { headline: string; todo: string }> = {
  'schedule-silent': {
    headline: 'nobody watches the cluster: the minute check has stopped',
    todo: 'Look at the schedule rule (is it enabled?) and at the log of the function handle-node-event. Until it runs again, only events start repairs.',
  },
  'healer-failing': {
    headline: 'the healer fails: handle-node-event reports errors',
    todo: 'Look at the log of the function handle-node-event; the error names what is wrong.',
  },
  'notify-failing': {
    headline: 'an alert could not be sent at once',
    todo: 'Look at the log of the function notify; the error names the event. Lambda tries it twice more: until then an alert may be missing.',
  },
};

/** Null: the alarm is over. */
export function alarmAlert({ detail }: z.infer<typeof ALARM_EVENT>, at: number): Alert | null {
  const { alarmName, state } = detail;
  if (state.value !== 'ALARM') return null;
  const known = Object.entries(ALARMS).find(([suffix]) => alarmName.endsWith(suffix));
  return {
    incident: `alarm/${alarmName}/${state.timestamp}`,
    at,
    headline: known?.[1].headline ?? `alarm ${alarmName}`,
    reason: `CloudWatch alarm ${alarmName}: ${state.reason}`,
    since: Number.isNaN(Date.parse(state.timestamp)) ? null : Date.parse(state.timestamp),
    decision: 'none: this is beyond what heals itself',
    changed: null,
    todo: known?.[1].todo ?? 'Look at the alarm and at what it measures.',
    paused: null,
    execution: null,
    runbook: known?.[0] ?? 'alarms',
    resolves: false,
  };
}
