/** One run in virtual time: a creation, two replacements and hours in which nothing happens, each with what it uses. */
import { bootTest, closeAll, type TestCluster } from '../../test/support/embedded';
import { readMeter, since, times } from './meter';
import { HOURS_PER_MONTH, type Usage } from './prices';

export interface Used {
  creation: Usage;
  /** Of a server that was terminated, and of one that hangs. */
  replacementTerminated: Usage;
  replacementHang: Usage;
  /** A month in which nothing happens. */
  idleMonth: Usage;
}

/** Nothing but the schedule is at work any more: alarms are over and everybody was told. */
const REST_SECONDS = 900;
/** A sample of the month: every minute is like the other. */
const IDLE_HOURS = 0.5;
const PATIENCE_SECONDS = 1800;

/** Needs a prepared assembly. @throws when the cluster does not come up, or is not healed */
export async function use(seed: number): Promise<Used> {
  try {
    return await live(await bootTest({ seed }), seed);
  } finally {
    await closeAll();
  }
}

/** The life of a cluster that does not exist yet. */
export async function live(cluster: TestCluster, seed: number): Promise<Used> {
  const creation = await during(cluster, async () => {
    const { status, cause } = await cluster.create();
    if (status !== 'SUCCEEDED') throw new Error(`the creation ended as ${status}: ${cause}`);
    // Its last event becomes mail.
    await cluster.pass(10);
  });
  await cluster.pass(REST_SECONDS);
  const idle = await during(cluster, () => cluster.pass(IDLE_HOURS * 3600));
  const replacementTerminated = await during(cluster, () => lose(cluster, 'terminate', seed % 3));
  await cluster.pass(REST_SECONDS);
  const replacementHang = await during(cluster, () => lose(cluster, 'hang', (seed + 1) % 3));
  const idleMonth = times(idle, HOURS_PER_MONTH / IDLE_HOURS);
  return { creation, replacementTerminated, replacementHang, idleMonth };
}

async function during(cluster: TestCluster, happening: () => Promise<void>): Promise<Usage> {
  const before = readMeter(cluster);
  await happening();
  return since(readMeter(cluster), before);
}

/** Until its successor is in service and everybody was told. */
async function lose(cluster: TestCluster, kind: 'terminate' | 'hang', slot: number): Promise<void> {
  const { instanceId } = cluster.server(slot);
  cluster.aws.incidents.inject({ kind, slot });
  const replaced = () => cluster.servers.some((server) => server.slot === slot && server.instanceId !== instanceId);
  const whole = () =>
    cluster.state.targetGroups.every(
      ({ targets }) => targets.filter(({ state }) => state === 'healthy').length === cluster.servers.length,
    );
  const working = () => cluster.aws.services.states.listExecutions().some(({ status }) => status === 'RUNNING');
  await cluster.becomes(() => replaced() && whole() && !working(), PATIENCE_SECONDS);
  await cluster.pass(60);
}
