/** What must be true of executions, calls and messages. */
import type { Mail } from '../../../local/aws/sns';
import type { Execution } from '../../../local/aws/stepfunctions';
import { type ObservedCall, stateEntered } from '../../support/embedded';
import type { Check, Steps } from './steps';

/** A Standard workflow ends at 25,000 events; ours are to stay far below. */
const HISTORY_LIMIT = 5000;
/** A function lives 30 s, and what it read before it acts is as old as that at most. */
const FRESH_MS = 30_000;
/** What a server's state may have become since the last look of an execution that has ended well, ms. */
const SINCE_LOOK_MS = 75_000;
/** Events are delivered at least once, and a reply of SNS may be lost: then people hear of it again. */
const REPEATS = 3;

const HOUR_MS = 3_600_000;
/**
 * Executions of the healer's within an hour that have looked at the cluster: six for the same trouble, some more while what is
 * seen changes. Those that find another one at work, or cannot get as far, end at once and are tried again every minute.
 */
const REPAIRS = 12;

export const fewRepairs: Check<Execution> = (_, { aws, truth }) => {
  const repairs = aws.services.states
    .listExecutions()
    .filter(({ name, startedAt }) => name.startsWith('repair-') && startedAt > truth.now - HOUR_MS)
    .filter(({ history }) => history.some((event) => stateEntered(event) === 'AssessCluster'));
  return repairs.length > REPAIRS ? `${repairs.length} executions of the healer's within an hour` : null;
};

export const shortHistory: Check<Execution> = ({ name, history }) =>
  history.length > HISTORY_LIMIT ? `${name} has a history of ${history.length} events` : null;

export const holderActs: Check<Steps['action']> = ({ call, execution }, { truth }) =>
  truth.holder === execution
    ? null
    : `${call.caller} calls ${call.operation} for ${execution}, and ${truth.holder ?? 'nobody'} holds the lease`;

export const looksBeforeItTerminates: Check<Steps['action']> = ({ call, before }, { truth }) => {
  if (call.operation !== 'TerminateInstances' || truth.wanted.desired === 'absent') return null;
  const fresh = (operation: string) =>
    before.some((earlier) => earlier.operation === operation && !earlier.error && call.at - earlier.at <= FRESH_MS);
  const missing = ['GetItem', 'DescribeInstances'].filter((operation) => !fresh(operation));
  return missing.length === 0 ? null : `${call.caller} terminates without ${missing.join(' and ')} just before`;
};

/** The session of a node's role is its instance id, that of a function's its name. */
export const nobodyButNodesReadsTheToken: Check<ObservedCall> = ({ service, operation, caller }) =>
  service === 'secretsmanager' && !caller.startsWith('i-') ? `${caller} calls ${operation}` : null;

export const successIsTrue: Check<Execution> = ({ name, status, output }, { aws, truth }) => {
  if (status !== 'SUCCEEDED' || output === undefined || !/"status":"converged"/.test(output)) return null;
  const sick = truth.living.filter(({ instanceId }) => truth.wellAgo(instanceId) > SINCE_LOOK_MS);
  const seen = aws.services.ec2.instances().filter(({ instanceId }) => truth.wellAgo(instanceId) <= SINCE_LOOK_MS);
  const slots = new Set(seen.map(({ instanceId }) => truth.slotOf(instanceId))).size;
  if (sick.length === 0 && slots === 3) return null;
  return `${name} says converged when ${slots} slots had a server that was well, and ${sick.length} servers are not`;
};

/** What looks like a K3s token, or like a private key. */
const SECRET = /K10[0-9a-f]{64}::|-----BEGIN [A-Z ]*PRIVATE KEY/;

export const mailsTellNoSecret: Check<Mail> = ({ subject, message }) =>
  SECRET.test(message) ? `the message "${subject}" holds a secret` : null;

export const historyTellsNoSecret: Check<Execution> = ({ name, input, output = '', cause = '', history }) =>
  SECRET.test(`${input}${output}${cause}${JSON.stringify(history)}`) ? `the history of ${name} holds a secret` : null;

/** Everything is well again: what happens afterwards is news. */
const isResolved = (subject: string) => /cluster ready|replaced in/.test(subject);

/** Who sends again what it was not told of: without their replies a message comes any number of times. */
const DELIVERY = ['*', 'events', 'lambda', 'sns'];

/** Once per incident, and at most once more for each time that delivery went wrong. */
export const noFlood: Check<Mail> = ({ subject = '' }, stage) => {
  if (isResolved(subject)) {
    stage.mails.clear();
    stage.told = false;
    return null;
  }
  stage.told = true;
  const repeated = [...stage.repliesLost].some(({ service }) => DELIVERY.includes(service));
  const times = (stage.mails.get(subject) ?? 0) + (repeated ? 0 : 1);
  stage.mails.set(subject, times);
  return times > REPEATS ? `people were told "${subject}" ${times} times` : null;
};
