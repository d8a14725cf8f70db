/** What must be true of executions, calls and messages. */
import { z } from 'zod';
import type { Mail } from '../../../local/aws/sns';
import type { Execution } from '../../../local/aws/stepfunctions';
import { type ObservedCall, stateEntered } from '../../support/embedded';
import type { Stage } from '../stage';
import { isExempt } from './removal';
import type { Check, Steps } from './steps';

/** A Standard workflow ends at 25,000 events; ours are to stay far below. */
const HISTORY_LIMIT = 5000;
/** A function lives 30 s, and what it read before it acts is as old as that at most. */
const FRESH_MS = 30_000;
/** How old the evidence of health may be when an execution looks, ms. */
const EVIDENCE_MS = 75_000;

const HOUR_MS = 3_600_000;
/** Whether the healer started it. */
const isRepair = ({ name }: Execution) => name.startsWith('repair-');

/** When an execution looked at the cluster last, epoch ms; undefined when it never has. */
const lastLook = ({ history }: Execution) =>
  history.findLast((event) => stateEntered(event) === 'AssessCluster')?.timestamp;

/**
 * Executions of the healer's within an hour that have looked at the cluster: six for the same trouble, some more while what is
 * seen changes. Those that find another one at work, or cannot get as far, end at once and are tried again every minute.
 */
const REPAIRS = 12;

export const fewRepairs: Check<Execution> = (_, { aws, truth }) => {
  const repairs = aws.services.states
    .listExecutions()
    .filter((execution) => isRepair(execution) && execution.startedAt > truth.now - HOUR_MS)
    .filter(({ history }) => history.some((event) => stateEntered(event) === 'AssessCluster'));
  return repairs.length > REPAIRS ? `${repairs.length} executions of the healer's within an hour` : null;
};

export const shortHistory: Check<Execution> = ({ name, history }) =>
  history.length > HISTORY_LIMIT ? `${name} has a history of ${history.length} events` : null;

/**
 * When one branch of an execution fails it gives the lease back, and what another branch has begun comes to its end: that is
 * nobody's loss until somebody else holds the lease.
 */
export const holderActs: Check<Steps['action']> = ({ call, execution, before }, { truth: { holder } }) => {
  const held = before.some((earlier) => readsTheLease(earlier) && call.at - earlier.at <= FRESH_MS);
  if (holder === execution || (holder === undefined && held)) return null;
  return `${call.caller} calls ${call.operation} for ${execution}, and ${holder ?? 'nobody'} holds the lease`;
};

/**
 * Just before, EC2 is read and the servers are asked, and the lease is read after that. Where there is no majority to keep,
 * nobody is asked.
 */
export const looksBeforeItTerminates: Check<Steps['action']> = ({ call, before }, stage) => {
  if (call.operation !== 'TerminateInstances' || stage.truth.wanted.desired === 'absent') return null;
  const fresh = before.filter(({ error, at }) => error === undefined && call.at - at <= FRESH_MS);
  const last = (found: (earlier: ObservedCall) => boolean) => fresh.findLastIndex(found);
  const seen = last(({ operation }) => operation === 'DescribeInstances');
  const asked = isExempt(stage) ? seen : last(({ operation }) => operation === 'SendCommand');
  const held = last(readsTheLease);
  if (seen >= 0 && asked >= 0 && held > Math.max(seen, asked)) return null;
  return `${call.caller} terminates without ${seen < 0 ? 'a look at EC2' : asked < 0 ? 'asking the servers' : 'the lease'} just before`;
};

const LEASE_READ = z.object({
  Key: z.object({ id: z.object({ S: z.literal('lease') }) }),
  ConsistentRead: z.literal(true),
});

const readsTheLease = ({ operation, input }: ObservedCall) =>
  operation === 'GetItem' && LEASE_READ.safeParse(input).success;

const executionOf = (arn: string, { aws }: Stage) =>
  aws.services.states.listExecutions().find((execution) => execution.arn === arn);

/** The healer's executions change a wanted and initialised cluster only, and nobody's change one that is paused. */
export const onlyWhatMayBeHealed: Check<Steps['action']> = ({ call, execution: arn }, stage) => {
  const { wanted, pausedSince, initialisedSince } = stage.truth;
  const execution = executionOf(arn, stage);
  if (!execution) return null;
  const { name } = execution;
  if (isRepair(execution) && (wanted.desired === 'absent' || wanted.phase !== 'initialised')) {
    return `${name} calls ${call.operation} for a cluster that is ${wanted.desired} and ${wanted.phase}`;
  }
  // What was decided before somebody paused it is carried out.
  if (pausedSince === undefined || initialisedSince === undefined) return null;
  return (lastLook(execution) ?? 0) > Math.max(pausedSince, initialisedSince)
    ? `${name} looked while healing was paused and calls ${call.operation}`
    : null;
};

/** How long the healer may take from its look at the record to the start of an execution, ms: a function lives no longer. */
const DECIDED_MS = 60_000;

export const noRepairIsStartedInAPause: Check<Execution> = (execution, { truth: { now, pausedSince = now } }) =>
  isRepair(execution) && now - pausedSince > DECIDED_MS
    ? `${execution.name} is started ${(now - pausedSince) / 1000} s after healing was paused`
    : null;

/** The session of a node's role is its instance id, that of a function's its name. */
export const nobodyButNodesReadsTheToken: Check<ObservedCall> = ({ service, operation, caller }) =>
  service === 'secretsmanager' && !caller.startsWith('i-') ? `${caller} calls ${operation}` : null;

/** What a success may say of itself: that all is well, that another one is at work, or that nobody wants it. */
const OUTPUT = z.object({ status: z.enum(['converged', 'held', 'declined', 'deleted']) });

export const successIsSuccess: Check<Execution> = ({ name, status, output = 'null' }, stage) => {
  if (status !== 'SUCCEEDED') return null;
  const said = OUTPUT.safeParse(JSON.parse(output));
  if (!said.success) return `${name} ends well and says ${output.slice(0, 200)}`;
  const left =
    said.data.status === 'deleted' ? stage.truth.living.map(({ instanceId }) => stage.label(instanceId)) : [];
  return left.length > 0 ? `${name} says deleted when ${left.join(', ')} lived` : null;
};

/** By its last look: what happens between that and its end, it cannot know. */
export const successIsTrue: Check<Execution> = (execution, { aws, truth }) => {
  const { name, status, output } = execution;
  if (status !== 'SUCCEEDED' || output === undefined || !/"status":"converged"/.test(output)) return null;
  const longest = truth.now - (lastLook(execution) ?? truth.now) + EVIDENCE_MS;
  const isWell = ({ instanceId }: { instanceId: string }) => truth.wellAgo(instanceId) <= longest;
  const sick = truth.living.filter((instance) => !isWell(instance));
  const slots = new Set(
    aws.services.ec2
      .instances()
      .filter(isWell)
      .map(({ instanceId }) => truth.slotOf(instanceId)),
  ).size;
  if (sick.length === 0 && slots === 3) return null;
  return `${name} says converged when ${slots} slots had a server that was well, and ${sick.length} servers are not`;
};

/** What looks like a K3s token, or like a private key; a token without its beginning is looked for when a life is over. */
const SECRET = /K10[0-9a-f]{64}::|-----BEGIN [A-Z ]*PRIVATE KEY/;

export const mailsTellNoSecret: Check<Mail> = ({ subject, message }) =>
  SECRET.test(message) ? `the message "${subject}" holds a secret` : null;

export const historyTellsNoSecret: Check<Execution> = ({ name, input, output = '', cause = '', history }) =>
  SECRET.test(`${input}${output}${cause}${JSON.stringify(history)}`) ? `the history of ${name} holds a secret` : null;

/** A server with its instance, wherever a message names both. */
const SERVER = /server-(\d) (i-[0-9a-f]{8,17})/g;
/** `server-1: i-0a… → i-0b… in 200 s` */
const REPLACED = /server-(\d): (i-[0-9a-f]+) → (i-[0-9a-f]+) in/;

export const namesTheRightServer: Check<Mail> = ({ subject = '', message }, { truth }) => {
  const wrong = [...message.matchAll(SERVER)].find(([, slot, id = '']) => truth.slotOf(id) !== Number(slot));
  if (wrong) return `"${subject}" says ${wrong[0]}, which is in slot ${truth.slotOf(wrong[2] ?? '')}`;
  const server = /server-\d/.exec(subject)?.[0];
  // The links at the end name the server that the execution was started for.
  if (server !== undefined && !message.replace(/https:\S+/g, '').includes(server))
    return `"${subject}", and the message does not tell of ${server}`;
  const [, slot, former = '', successor = ''] = REPLACED.exec(message) ?? [];
  if (slot === undefined) return null;
  const ofSlot = [former, successor].every((id) => truth.slotOf(id) === Number(slot));
  return ofSlot && truth.isOlder(former, successor) ? null : `"${subject}" says ${former} was replaced by ${successor}`;
};

/** Who tells of success has found that all is well, and not that it failed. */
export const goodNewsIsTrue: Check<Mail> = ({ subject = '', message }, { aws }) => {
  if (!isResolved(subject)) return null;
  const link = decodeURIComponent(/\/executions\/details\/(\S+)/.exec(message)?.[1] ?? '');
  const execution = aws.services.states.listExecutions().find(({ arn }) => arn === link);
  const isSuccess = execution?.history.some((event) => stateEntered(event) === 'PublishEvent');
  return isSuccess
    ? null
    : `"${subject}" comes from ${execution?.name ?? 'nobody'}, which has not found the cluster well`;
};

/** Everything is well again: what happens afterwards is news. */
const isResolved = (subject: string) => /cluster ready|replaced in/.test(subject);

/** Who sends again what it was not told of: without their replies a message comes any number of times. */
const DELIVERY = ['*', 'events', 'lambda', 'sns'];

/** What a message is about: what befalls the next instance of a server is news, as is an alarm that began at another time. */
function incidentOf({ subject = '', message }: Mail): string {
  const server = /server-\d/.exec(subject)?.[0];
  const instance = server && new RegExp(`${server} (i-[0-9a-f]+)`).exec(message)?.[1];
  const since = /^Since\W+(.+)$/m.exec(message)?.[1];
  return [subject, instance, since].filter((part) => part !== undefined).join(', ');
}

/** Lambda calls a function that failed again after one minute and after two more, and waits when it is throttled, ms. */
const AGAIN_MS = 10 * 60_000;

/** Once per incident, and at most once more for each time that telling it went wrong. */
export const noFlood: Check<Mail> = (mail, stage) => {
  const { subject = '' } = mail;
  stage.untold = [];
  if (isResolved(subject)) {
    stage.mails.clear();
    stage.told = false;
    stage.wellAt = stage.truth.now;
    stage.failedToTell = stage.failedToTell.filter((at) => stage.truth.now - at < AGAIN_MS);
    return null;
  }
  stage.told = true;
  const repeated = [...stage.repliesLost].some(({ service }) => DELIVERY.includes(service));
  const incident = incidentOf(mail);
  const times = (stage.mails.get(incident) ?? 0) + (repeated ? 0 : 1);
  stage.mails.set(incident, times);
  return times > 1 + stage.failedToTell.length ? `people were told "${incident}" ${times} times` : null;
};

/** An event reaches people within seconds, ms; and what is told again, within minutes. */
const TOLD_WITHIN_MS = 120_000;

/** Who does not end well says so, unless people know already that something is wrong. */
export const failureIsTold: Check<null> = (_, { calmSince, untold, truth: { now } }) => {
  const silent = untold.find(({ at }) => calmSince !== undefined && at > calmSince && now - at > TOLD_WITHIN_MS);
  return silent ? `nobody was told within ${TOLD_WITHIN_MS / 1000} s that ${silent.name} had failed` : null;
};
