/** What happens to instances and to what runs on them. */
import type { Instance } from '../../../local/aws/ec2';
import type { IncidentRequest } from '../../../local/incidents';
import type { Stage } from '../stage';
import { instanceOf } from '../truth';
import type { HappeningKind } from './happening';

type OfServer = 'terminate' | 'stop' | 'hang' | 'k3s-crash' | 'agent-lost';

const FITS: Record<OfServer, (instance: Instance) => boolean> = {
  terminate: () => true,
  stop: ({ state }) => state === 'running',
  hang: ({ machine }) => machine !== undefined,
  'k3s-crash': ({ machine }) => machine !== undefined,
  'agent-lost': ({ state }) => state === 'running',
};

function ofServer(kind: OfServer, grave: boolean, weight: number): HappeningKind {
  return {
    grave,
    weight,
    begin(stage, random) {
      const able = stage.truth.living.filter(FITS[kind]);
      if (able.length === 0) return null;
      return incident(stage, { kind, instanceId: random.pick(able).instanceId });
    },
  };
}

/** Whatever can end of it ends with the storm: the embedded AWS's own clean-up knows how. */
function incident(stage: Stage, request: IncidentRequest): string {
  let effect = '';
  stage.inject(() => {
    effect = stage.aws.incidents.inject(request).effect;
  });
  stage.until('incidents', () => void stage.aws.incidents.clear());
  return effect;
}

/** K3s dies once and systemd starts it again: when it led, another leads from then on. */
const leaderMoves: HappeningKind = {
  grave: false,
  weight: 2,
  begin(stage) {
    const cluster = stage.truth.voting;
    const member = cluster?.members.find(({ id }) => id === cluster.leader);
    const leader = member && instanceOf(member);
    if (leader === undefined) return null;
    stage.aws.k3s.crash(leader);
    return `K3s on ${stage.label(leader)}, the leader of etcd, is killed once`;
  },
};

/** One more than may be replaced within an hour. */
const SERIES = 4;
const NEXT_SECONDS = 20;

/** The next server ends as soon as all of them vote and serve again. */
const oneAfterAnother: HappeningKind = {
  grave: true,
  weight: 2,
  // It may begin after a quarter of an hour, and each of them takes some minutes.
  seconds: 2400,
  begin(stage, random) {
    let left = SERIES;
    const next = (): string | null => {
      const voters = stage.truth.voting?.members.filter(({ learner, serving }) => serving && !learner) ?? [];
      if (voters.length < stage.aws.world.zones.length) return null;
      const instanceId = instanceOf(random.pick(voters));
      if (instanceId === undefined) return null;
      left--;
      return incident(stage, { kind: 'terminate', instanceId });
    };
    const first = next();
    if (first === null) return null;
    const timer = stage.cluster.clock.every(NEXT_SECONDS * 1000, () => {
      const effect = next();
      if (effect !== null) stage.journal.note('fault', effect);
      if (left === 0) timer.cancel();
    });
    stage.until('series', () => timer.cancel());
    return `${first}, and the next one as soon as all are well again`;
  },
};

const neverBoots: HappeningKind = {
  grave: false,
  weight: 1,
  begin: (stage, random) => incident(stage, { kind: 'never-boots', slot: random.integer(3) }),
};

const noCapacity: HappeningKind = {
  grave: false,
  weight: 2,
  begin(stage, random) {
    const { services, world } = stage.aws;
    const zone = random.pick(world.zones);
    const living = stage.truth.living[0];
    const type = random.next() < 0.5 && living ? living.type.name : '*';
    services.ec2.setCapacity(zone, type, false);
    stage.until('capacity', () => services.ec2.setCapacity(zone, type, true));
    return `${zone} has no capacity for ${type === '*' ? 'any type' : type}`;
  },
};

const describeLags: HappeningKind = {
  grave: false,
  weight: 2,
  begin(stage, random) {
    const { ec2 } = stage.aws.services;
    const seconds = 1 + random.integer(20);
    ec2.setDescribeLag(seconds * 1000);
    stage.until('lag', () => ec2.setDescribeLag(0));
    return `EC2 does not show instances for ${seconds} s after their launch`;
  },
};

const programsFail: HappeningKind = {
  grave: false,
  weight: 3,
  begin(stage, random) {
    const program = random.pick(['k3s', 'aws', 'curl', 'systemctl', '*']);
    const share = random.pick([0.05, 0.2, 0.5, 1]);
    const seconds = random.pick([30, 90, 300]);
    const end = stage.aws.world.faults.onProgram(program, () => random.next() < share);
    stage.aws.world.clock.after(seconds * 1000, end);
    stage.until('programs', end);
    const which = program === '*' ? 'of any program' : `of ${program}`;
    return `for ${seconds} s, ${Math.round(share * 100)} % of the calls ${which} in node scripts fail`;
  },
};

export const machines: Record<string, HappeningKind> = {
  'an instance is terminated': ofServer('terminate', true, 6),
  'instances are terminated one after another': oneAfterAnother,
  'an instance is stopped': ofServer('stop', true, 2),
  'a kernel hangs': ofServer('hang', true, 3),
  'K3s keeps crashing': ofServer('k3s-crash', true, 2),
  'an SSM agent is lost': ofServer('agent-lost', false, 2),
  'the leader moves': leaderMoves,
  'instances do not boot': neverBoots,
  'no capacity': noCapacity,
  'describe lags create': describeLags,
  'programs in scripts fail': programsFail,
};
