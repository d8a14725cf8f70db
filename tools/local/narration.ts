/** Turns what happens in the embedded AWS into the lines of a healing. Pure: no clock, no output. */
import { z } from 'zod';
import { type Detail, EVENT } from '../../functions/events';
import type { Row } from './progress';
import { duration } from './screen';

/** One line, and what stands at its right-hand side. */
export interface Line {
  text: string;
  note?: string;
}

/** What an instance is called: `server-1`, or null when it is none of ours. */
export type NameOf = (instanceId: string) => string | null;

const EC2 = z.object({
  source: z.literal('aws.ec2'),
  'detail-type': z.literal('EC2 Instance State-change Notification'),
  detail: z.object({ 'instance-id': z.string(), state: z.string() }),
});
const ALARM = z.object({
  source: z.literal('aws.cloudwatch'),
  'detail-type': z.literal('CloudWatch Alarm State Change'),
  detail: z.object({
    alarmName: z.string(),
    state: z.object({ value: z.string() }),
    previousState: z.object({ value: z.string() }),
  }),
});

/** An event of the bus; null: nothing that a person watches for. */
export function narrateEvent(event: unknown, nameOf: NameOf): Line | null {
  const instance = EC2.safeParse(event);
  if (instance.success) {
    const { 'instance-id': id, state } = instance.data.detail;
    const name = nameOf(id);
    return name === null || state === 'pending' ? null : { text: `${name} ${id} ${state} (EC2 event)` };
  }
  const alarm = ALARM.safeParse(event);
  if (alarm.success) {
    const { alarmName, state, previousState } = alarm.data.detail;
    // Only what was in alarm can be relieved: an alarm's first OK is no news.
    const news = state.value === 'ALARM' || previousState.value === 'ALARM';
    return news ? { text: `alarm ${alarmName} is ${state.value}` } : null;
  }
  const ours = EVENT.safeParse(event);
  return ours.success ? narrateOurs(ours.data) : null;
}

function narrateOurs(event: z.infer<typeof EVENT>): Line {
  switch (event['detail-type']) {
    case 'Node Suspected':
      return { text: `suspected: ${event.detail.reason}` };
    case 'Replacement Started':
      return { text: `decision: ${event.detail.decision}` };
    case 'Node Replaced':
      return narrateReplaced(event.detail);
    case 'Cluster Ready':
      return { text: `ready: ${event.detail.reason}` };
    case 'Replacement Deferred':
      return { text: `deferred: ${event.detail.reason} — ${event.detail.decision}`, note: todo(event.detail) };
    case 'Cluster Degraded':
      return { text: `degraded: ${event.detail.reason} — ${event.detail.decision}`, note: todo(event.detail) };
    case 'Converge Failed':
      return { text: `failed at ${event.detail.stage}: ${event.detail.reason}`, note: todo(event.detail) };
  }
}

function narrateReplaced({ slot, newInstanceId, seconds }: Detail<'Node Replaced'>): Line {
  const { total, detect, launch, join, inService } = seconds;
  const s = (value: number) => (value < 60 ? `${value} s` : duration(value * 1000));
  return {
    text: `server-${slot} ${newInstanceId} is in service`,
    note: `replaced in ${s(total)} (detect ${s(detect)} · launch ${s(launch)} · join ${s(join)} · in service ${s(inService)})`,
  };
}

const todo = ({ todo }: { todo: string }) => (todo === 'nothing' ? undefined : `you: ${todo}`);

/** The execution that an event of ours comes from; null: it is none, or none has sent it. */
export function executionOf(event: unknown): string | null {
  const ours = EVENT.safeParse(event);
  return ours.success ? ours.data.detail.execution : null;
}

/**
 * An execution that starts or ends. Times in epoch ms.
 * @param told it has said on the bus why it ended
 */
export function narrateExecution(
  execution: {
    name: string;
    status: string;
    startedAt: number;
    stoppedAt?: number;
    error?: string;
    cause?: string;
  },
  told: boolean,
): Line {
  const { name, status, startedAt, stoppedAt = startedAt, error, cause } = execution;
  if (status === 'RUNNING') return { text: `execution ${name} started` };
  const why = error === undefined ? '' : `: ${error}${cause && !told ? `: ${cause}` : ''}`;
  return { text: `execution ${name} ${status.toLowerCase()} after ${duration(stoppedAt - startedAt)}${why}` };
}

const SHOWN: ReadonlySet<Row['stage']> = new Set(['launch', 'retire', 'init', 'join', 'apply', 'delete']);

/** A stage of an execution that is over; null: too small to tell. */
export function narrateStage({ stage, subject, text, startedAt, endedAt, state }: Row): Line | null {
  if (state !== 'done' || !SHOWN.has(stage)) return null;
  return {
    text: `${stage}${subject ? ` ${subject}` : ''}: ${text}`,
    note: duration((endedAt ?? startedAt) - startedAt),
  };
}

/** A mail of SNS. */
export const narrateMail = ({ subject = '(no subject)' }: { subject?: string }): Line => ({
  text: `alert: ${subject}`,
});

/** The health of one instance over all target groups that it is registered with. */
export type Health = 'healthy' | 'unhealthy' | 'initial' | 'draining' | 'unused';
const WORST: Health[] = ['unhealthy', 'draining', 'unused', 'initial', 'healthy'];

/** Health by instance id: the worst of its groups. */
export function healthOf(groups: { targets: { id: string; state: string }[] }[]): Map<string, Health> {
  const health = new Map<string, Health>();
  for (const { id, state } of groups.flatMap(({ targets }) => targets)) {
    const known = health.get(id) ?? 'healthy';
    health.set(id, WORST.find((candidate) => candidate === state || candidate === known) ?? known);
  }
  return health;
}

const MEANING: Record<Health, string> = {
  healthy: 'receives traffic (NLB)',
  unhealthy: 'is unhealthy (NLB)',
  initial: 'is registered, health checks begin (NLB)',
  draining: 'is draining: no new connections (NLB)',
  unused: 'is not used any more (NLB)',
};

/** What has changed between two looks at the load balancer. */
export function narrateTargets(
  before: ReadonlyMap<string, Health>,
  after: ReadonlyMap<string, Health>,
  nameOf: NameOf,
): Line[] {
  const lines: Line[] = [];
  for (const [id, health] of after) {
    if (before.get(id) !== health) lines.push({ text: `${nameOf(id) ?? 'target'} ${id} ${MEANING[health]}` });
  }
  for (const id of before.keys()) {
    if (!after.has(id)) lines.push({ text: `${nameOf(id) ?? 'target'} ${id} is deregistered (NLB)` });
  }
  return lines;
}
