/** What happens to calls of the AWS API, and to how long everything takes. */
import type { ApiFault } from '../../../local/faults';
import type { HappeningKind } from './happening';

/** What functions and nodes call. */
const SERVICES = [
  'dynamodb',
  'ec2',
  'elasticloadbalancing',
  'events',
  'lambda',
  'secretsmanager',
  'sns',
  'ssm',
  'states',
  's3',
];

/** How long the functions' clients wait for an answer. */
const CLIENT_TIMEOUT_MS = 8000;

/** For some time, some calls of one service or of all of them. */
function failing(fault: ApiFault, what: string, weight: number): HappeningKind {
  return {
    grave: false,
    weight,
    begin(stage, random) {
      const service = random.next() < 0.4 ? '*' : random.pick(SERVICES);
      const share = random.pick([0.05, 0.1, 0.2, 0.4, 0.9]);
      const seconds = random.pick([20, 60, 180, 400]);
      const spared = stage.aws.world.faults.onCall(service, '*', fault, { when: () => random.next() < share });
      const lost = { service };
      if (fault.kind === 'lost-reply') stage.repliesLost.add(lost);
      const end = () => {
        spared();
        stage.repliesLost.delete(lost);
      };
      stage.aws.world.clock.after(seconds * 1000, end);
      stage.until(what, end);
      const calls = service === '*' ? 'any service' : service;
      return `for ${seconds} s, ${Math.round(share * 100)} % of the calls of ${calls} ${what}`;
    },
  };
}

const ERROR: ApiFault = {
  kind: 'error',
  code: 'InternalError',
  message: 'An internal error has occurred',
  status: 500,
};

function slow(service: string, what: string, weight: number, factors: number[]): HappeningKind {
  return {
    grave: false,
    weight,
    begin(stage, random) {
      // Two at once would multiply: a state that takes three thousand times as long takes a minute, not days.
      if (stage.goesOn(what)) return null;
      const factor = random.pick(factors);
      stage.until(what, stage.aws.world.faults.slow(service, factor));
      return `${what} ${factor} times as long`;
    },
  };
}

export const calls: Record<string, HappeningKind> = {
  'calls are throttled': failing({ kind: 'throttle' }, 'are throttled', 3),
  'calls fail': failing(ERROR, 'fail with status 500', 3),
  'calls are not answered': failing({ kind: 'timeout', afterMs: CLIENT_TIMEOUT_MS }, 'are not answered', 2),
  'replies are lost': failing({ kind: 'lost-reply' }, 'take effect and their replies are lost', 4),
  'the workflow stalls': slow('states', 'each state takes', 1, [100, 1000, 3000]),
  'commands are slow': slow('ssm', 'SSM takes', 2, [5, 20, 60]),
  'EC2 is slow': slow('ec2', 'EC2 takes', 2, [3, 8]),
  'K3s is slow': slow('k3s', 'K3s takes', 2, [2, 5]),
};
