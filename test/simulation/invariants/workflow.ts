/** What must be true of executions, calls and messages. */
import type { Mail } from '../../../local/aws/sns';
import type { Execution } from '../../../local/aws/stepfunctions';
import type { ObservedCall } from '../../support/embedded';
import type { Check } from './steps';

/** A Standard workflow ends at 25,000 events; ours are to stay far below. */
const HISTORY_LIMIT = 5000;

export const shortHistory: Check<Execution> = ({ name, history }) =>
  history.length > HISTORY_LIMIT ? `${name} has a history of ${history.length} events` : null;

/** The session of a node's role is its instance id, that of a function's its name. */
export const nobodyButNodesReadsTheToken: Check<ObservedCall> = ({ service, operation, caller }) =>
  service === 'secretsmanager' && !caller.startsWith('i-') ? `${caller} calls ${operation}` : null;

/** What looks like a K3s token, or like a private key. */
const SECRET = /K10[0-9a-f]{64}::|-----BEGIN [A-Z ]*PRIVATE KEY/;

export const mailsTellNoSecret: Check<Mail> = ({ subject, message }) =>
  SECRET.test(message) ? `the message "${subject}" holds a secret` : null;
