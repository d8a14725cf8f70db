/**
 * How long healing takes: medians over seeds, in simulated time with the default latencies. `SEEDS=20` measures more than
 * the few that a test run can afford, and prints what it found.
 */
import { closeAll } from '../../support/embedded';
import { after, Client, createdCluster, type Trial } from './healing';

afterEach(closeAll);

const SEEDS = Number(process.env.SEEDS ?? 3);
const LIMIT_MS = 600_000;
const MINUTES = 5;

/** What one failure of a server cost, in seconds since it began. */
interface Cost {
  /** The successor votes. */
  voter: number;
  /** The successor receives all traffic, and nothing is left of its predecessor. */
  service: number;
  /** The last new connection of a client that the load balancer sent to the dead server. */
  lastSent: number;
  /** The load balancer has marked the target. */
  marked: number;
  /** The last request that failed, by the time it was sent; 0: none. */
  lastFailed: number;
  failed: number;
}

async function suffer(kind: 'terminate' | 'hang', seed: number): Promise<Cost> {
  const trial = await createdCluster({ seed });
  const { cluster } = trial;
  const { instanceId, privateIp } = cluster.server(1);
  const client = new Client(trial);
  await cluster.pass(10);
  expect(client.failures).toEqual([]);
  const at = cluster.clock.now();
  const since = (moment: number | undefined) => (moment === undefined ? 0 : (moment - at) / 1000);
  await trial.inject({ kind, slot: 1 });
  const marked = await after(trial, () => !serves(trial, instanceId));
  const isSuccessor = ({ slot, instanceId: id }: { slot: number | null; instanceId: string }) =>
    slot === 1 && id !== instanceId;
  await after(trial, () => cluster.servers.some((server) => isSuccessor(server) && server.etcdVoter));
  const voter = since(cluster.clock.now());
  await after(trial, () => {
    const successor = cluster.servers.find(isSuccessor);
    return (
      successor !== undefined && cluster.state.targetGroups.every((group) => healthyIn(group, successor.instanceId))
    );
  });
  const service = since(cluster.clock.now());
  client.stop();
  const cost = {
    voter,
    service,
    lastSent: since(client.to(privateIp).at(-1)?.at),
    marked,
    lastFailed: since(client.failures.at(-1)?.at),
    failed: client.failures.length,
  };
  expect(trial.harm).toEqual([]);
  await cluster.close();
  return cost;
}

type Group = Trial['cluster']['state']['targetGroups'][number];

const healthyIn = ({ targets }: Group, instanceId: string) =>
  targets.some(({ id, state }) => id === instanceId && state === 'healthy');

/** Whether the load balancer sends the client's traffic to it. */
function serves({ cluster }: Trial, instanceId: string): boolean {
  return cluster.state.targetGroups.some((group) => group.name.endsWith('-http') && healthyIn(group, instanceId));
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** One after the other; prints medians and worst cases when somebody asked for a measurement. */
async function measure(kind: 'terminate' | 'hang'): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) costs.push(await suffer(kind, seed));
  if (process.env.SEEDS) console.table(summarise(costs));
  return costs;
}

const ASPECTS = ['voter', 'service', 'lastSent', 'marked', 'lastFailed', 'failed'] as const;

function summarise(costs: Cost[]) {
  const rows = ASPECTS.map((aspect) => {
    const values = costs.map((cost) => cost[aspect]);
    return [aspect, { median: median(values), worst: Math.max(...values) }];
  });
  return Object.fromEntries(rows);
}

const medianOf = (aspect: keyof Cost, costs: Cost[]) => median(costs.map((cost) => cost[aspect]));

/** Point by point for each seed, so that a failure shows which one. */
function expectFailuresUntilMarked(costs: Cost[]): void {
  expect(costs.some(({ failed }) => failed > 0)).toBe(true);
  for (const { lastFailed, lastSent, marked } of costs) {
    expect(lastSent).toBeLessThanOrEqual(marked);
    expect(lastFailed).toBeLessThanOrEqual(marked);
  }
}

describe('a terminated server', () => {
  let costs: Cost[];
  beforeAll(async () => {
    costs = await measure('terminate');
  }, LIMIT_MS);

  it('has a successor that votes within 120 s and is in service within 210 s', () => {
    expect(medianOf('voter', costs)).toBeLessThanOrEqual(120);
    expect(medianOf('service', costs)).toBeLessThanOrEqual(210);
  });

  it('costs clients requests until the load balancer has marked it, and none afterwards', () => {
    expectFailuresUntilMarked(costs);
  });
});

describe('a hanging server', () => {
  let costs: Cost[];
  beforeAll(async () => {
    costs = await measure('hang');
  }, LIMIT_MS);

  it('gets no new connections after 60 s and has a successor in service within 7 min', () => {
    expect(medianOf('lastSent', costs)).toBeLessThanOrEqual(60);
    expect(medianOf('service', costs)).toBeLessThanOrEqual(420);
  });

  it('costs clients requests until the load balancer has marked it, and none afterwards', () => {
    expectFailuresUntilMarked(costs);
  });
});

it('the check of a minute in which all is well takes at most 5 calls, all of which read', async () => {
  const { cluster } = await createdCluster();
  await cluster.pass(MINUTES * 60 - 60);
  cluster.calls.length = 0;
  await cluster.pass(MINUTES * 60);
  expect(cluster.calls.length).toBeLessThanOrEqual(5 * MINUTES);
  expect(new Set(cluster.calls.map(({ caller }) => caller))).toEqual(new Set(['k3s-demo-handle-node-event']));
  for (const { operation } of cluster.calls) expect(operation).toMatch(/^(Scan|Describe)/);
});
