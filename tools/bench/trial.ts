/** One run in virtual time: a creation, then the loss of two servers, one terminated and one that hangs. */
import type { Execution } from '../../local/aws/stepfunctions';
import type { Surroundings } from '../../local/embedded';
import { bootTest, closeAll, type TestCluster } from '../../test/support/embedded';
import { InProcessRuntime } from '../../test/support/in-process-runtime';
import { baseline } from './baseline';
import { type Bound, creation, replacement, type Setting } from './bound';
import type { Draw, Machine } from './chain';
import { Moments } from './moments';

/** All times are milliseconds since the beginning of what they belong to. */
export interface Measured {
  seed: number;
  creation: Part & { bars: Bar[] };
  replacementTerminated: Part;
  replacementHang: Part;
  sequentialBaseline: { total: number; phases: Record<string, number> };
}

export interface Part {
  /** Creation: the execution has ended. Replacement: the successor receives all traffic. */
  total: number;
  /** When each phase was over. */
  phases: Record<string, number>;
  /** Of all designs that keep the safety rules, and of those that tell nodes through SSM what to do. */
  bound: Bound;
  throughSsm: Bound;
}

/** A stretch of time in a drawing. */
export interface Bar {
  lane: string;
  kind: 'ec2' | 'boot' | 'wait' | 'k3s' | 'balancer' | 'manifests';
  from: number;
  to: number;
  /** Of which server, where the lane does not tell. */
  note?: string;
}

/** Without the wire, which is a third of the time: what is drawn stays the same. */
const runtime = (surroundings: Surroundings) => new InProcessRuntime(surroundings, { shortcut: true });

/** Rule 7's dwell. */
const DWELL_MS = 90_000;
/** After a repair, until everybody was told and the alarms are over. */
const REST_SECONDS = 120;
/** So long a repair may take before the run counts as broken. */
const PATIENCE_SECONDS = 1800;

/** Needs a prepared assembly. @throws when the cluster does not come up, or is not healed */
export async function measure(seed: number): Promise<Measured> {
  const cluster = await bootTest({ seed, runtime });
  try {
    const created = await create(cluster);
    await rest(cluster);
    // Different servers from seed to seed, so that etcd's leader is among them.
    const replacementTerminated = await lose(cluster, 'terminate', seed % 3);
    await rest(cluster);
    const replacementHang = await lose(cluster, 'hang', (seed + 1) % 3);
    return { seed, ...created, replacementTerminated, replacementHang };
  } finally {
    await closeAll();
  }
}

/** The creation alone: a third of the work. */
export async function measureCreation(seed: number): Promise<Pick<Measured, 'creation' | 'sequentialBaseline'>> {
  const cluster = await bootTest({ seed, runtime });
  try {
    return await create(cluster);
  } finally {
    await closeAll();
  }
}

async function create(cluster: TestCluster): Promise<Pick<Measured, 'creation' | 'sequentialBaseline'>> {
  const moments = new Moments(cluster);
  const arn = await cluster.start('cluster');
  const { status, cause } = await cluster.ended(arn);
  moments.stop();
  if (status !== 'SUCCEEDED') throw new Error(`the creation ended as ${status}: ${cause}`);
  const execution = executionOf(cluster, arn);
  const seen = moments.phases(execution, 'creation');
  const setting = settingOf(cluster);
  const ids = cluster.servers.map(({ instanceId }) => instanceId);
  const machines = ids.map((instanceId) => machineOf(cluster, instanceId));
  const last = (time: (instanceId: string) => number) => Math.max(...ids.map(time));
  const voting = (id: string) => Math.max(moments.server(id, 'voter'), moments.server(id, 'ready'));
  const bound = creation({ ...setting, throughSsm: false }, machines);
  const stages = baseline(setting.draw, machines, setting.targetGroups);
  return {
    creation: {
      total: seen.finished!,
      phases: {
        ...seen,
        running: last((id) => moments.instance(id, 'running')),
        'first server': Math.min(...ids.map(voting)),
        voters: last(voting),
        serving: last((id) =>
          Math.max(voting(id), ...setting.targetGroups.map((group) => moments.target(id, group, 'healthy'))),
        ),
      },
      bars: bars(cluster, moments, setting.targetGroups),
      bound,
      throughSsm: creation({ ...setting, throughSsm: true }, machines),
    },
    sequentialBaseline: { total: stages.register, phases: stages },
  };
}

/** What each server and the load balancer were busy with. */
function bars({ servers }: TestCluster, moments: Moments, targetGroups: string[]): Bar[] {
  const lives = servers.map(({ instanceId, slot }) => {
    const lane = `server-${slot}`;
    const running = moments.instance(instanceId, 'running');
    const online = moments.agentOnline(instanceId);
    const told = moments.command(instanceId, 'StartServer', 'InProgress');
    const votes = Math.max(moments.server(instanceId, 'voter'), moments.server(instanceId, 'ready'));
    const receives = Math.max(...targetGroups.map((group) => moments.target(instanceId, group, 'healthy')));
    const own: Bar[] = [
      { lane, kind: 'ec2', from: 0, to: running },
      { lane, kind: 'boot', from: running, to: online },
      { lane, kind: 'wait', from: online, to: told },
      { lane, kind: 'k3s', from: told, to: votes },
    ];
    const balancer: Bar = { lane: `traffic to ${slot}`, kind: 'balancer', from: running, to: receives };
    return { instanceId, own, balancer };
  });
  const applier = servers.find(({ instanceId }) => moments.wasTold(instanceId, 'ApplyManifests'))?.instanceId ?? '';
  const manifests: Bar = {
    lane: 'manifests',
    kind: 'manifests',
    from: moments.command(applier, 'ApplyManifests', 'InProgress'),
    to: moments.command(applier, 'ApplyManifests', 'Success'),
  };
  return [...lives.flatMap(({ own }) => own), manifests, ...lives.map(({ balancer }) => balancer)];
}

async function lose(cluster: TestCluster, kind: 'terminate' | 'hang', slot: number): Promise<Part> {
  const lost = machineOf(cluster, cluster.server(slot).instanceId);
  const known = new Set(executionsOf(cluster).map(({ arn }) => arn));
  const moments = new Moments(cluster);
  cluster.aws.incidents.inject({ kind, slot });
  const successorOf = () =>
    cluster.servers.find((server) => server.slot === slot && server.instanceId !== lost.instanceId);
  const healthy = () =>
    cluster.state.targetGroups.every(({ targets }) =>
      targets.some(({ id, state }) => id === successorOf()?.instanceId && state === 'healthy'),
    );
  const repairs = () => executionsOf(cluster).filter(({ arn }) => !known.has(arn));
  await cluster.becomes(() => healthy() && repairs().every(({ status }) => status !== 'RUNNING'), PATIENCE_SECONDS);
  moments.stop();

  const { targetGroups, ...setting } = settingOf(cluster);
  const successorId = successorOf()?.instanceId ?? '';
  const execution = repairs().find(({ history }) =>
    history.some(({ details }) => JSON.stringify(details).includes(successorId)),
  );
  if (!execution) throw new Error(`no execution knows ${successorId}`);
  const voters = Math.max(moments.server(successorId, 'voter'), moments.server(successorId, 'ready'));
  const serving = Math.max(voters, ...targetGroups.map((group) => moments.target(successorId, group, 'healthy')));
  const loss = {
    lost,
    successor: machineOf(cluster, successorId),
    tick: moments.server(successorId, 'voter'),
    ...(kind === 'terminate' ? terminated(cluster, setting.draw, moments, lost) : hanging(setting.draw, moments, lost)),
  };
  return {
    total: serving,
    phases: {
      ...moments.phases(execution, kind === 'terminate' ? 'replacementTerminated' : 'replacementHang'),
      running: moments.instance(successorId, 'running'),
      voters,
      serving,
    },
    bound: replacement({ ...setting, targetGroups, throughSsm: false }, loss),
    throughSsm: replacement({ ...setting, targetGroups, throughSsm: true }, loss),
  };
}

/** EC2 tells of the termination; the lost server ends by itself. */
function terminated(cluster: TestCluster, draw: Draw, moments: Moments, { instanceId }: Machine) {
  const rule = [...cluster.aws.stack.resources.values()].find(
    ({ type, ref }) => type === 'AWS::Events::Rule' && ref.includes('instance-state'),
  );
  const arn = `arn:aws:ec2:${cluster.aws.world.region}:${cluster.aws.world.account}:instance/${instanceId}`;
  // Of the states that EC2 tells, `shutting-down` is the third, and the first for which there is a rule.
  const noticed = draw('ec2.state-change-event', instanceId, 2) + draw('events.delivery', `${rule?.ref} ${arn}`);
  return { noticed, fenced: moments.instance(instanceId, 'terminated') };
}

/** The first signal is seen, at best in the moment it appears; the second and the dwell; then it is terminated. */
function hanging(draw: Draw, moments: Moments, { instanceId }: Machine) {
  const signals = [moments.target(instanceId, 'k3s-demo-api', 'unhealthy'), moments.server(instanceId, 'not ready')];
  return {
    noticed: Math.min(...signals),
    fenced: Math.max(...signals) + DWELL_MS + draw('ec2.shutting-down', instanceId),
  };
}

function settingOf(cluster: TestCluster): Omit<Setting, 'throughSsm'> {
  const { latency } = cluster.aws.world;
  return {
    draw: (name, whose, nth) => latency.draw(name, whose, nth),
    targetGroups: cluster.state.targetGroups.map(({ name }) => name),
  };
}

function machineOf({ aws }: TestCluster, instanceId: string): Machine {
  const { ec2 } = aws.services;
  const subnetId = ec2.instance(instanceId)?.subnetId ?? '';
  const neighbours = ec2.instances().filter((instance) => instance.subnetId === subnetId);
  return { instanceId, subnetId, nth: neighbours.findIndex((instance) => instance.instanceId === instanceId) };
}

const executionsOf = ({ aws }: TestCluster) => aws.services.states.listExecutions();

function executionOf(cluster: TestCluster, arn: string): Execution {
  const execution = executionsOf(cluster).find((candidate) => candidate.arn === arn);
  if (!execution) throw new Error(`there is no execution ${arn}`);
  return execution;
}

/** Until nobody is at work any more. */
async function rest(cluster: TestCluster): Promise<void> {
  await cluster.becomes(() => executionsOf(cluster).every(({ status }) => status !== 'RUNNING'), PATIENCE_SECONDS);
  await cluster.pass(REST_SECONDS);
}
