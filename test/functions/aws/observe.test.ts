import type { Invocation } from '../../../functions/aws/commands';
import type { Machine } from '../../../functions/aws/instances';
import { observe, type Sources } from '../../../functions/aws/observe';
import type { SlotState } from '../../../functions/aws/slots';
import { Throttled } from '../../../functions/cluster/errors';
import type { TargetHealth } from '../../../functions/cluster/observation';
import { NOW, testPlatform } from '../support/platform';

const REPORT = {
  k3s: 'active',
  etcdHealthy: true,
  apiReady: true,
  dbInfo: { members: [{ name: 'i-00000001-0123abcd', peerURLs: ['https://10.0.0.1:2380'] }] },
  nodes: [],
  caHash: null,
  k3sVersion: 'v1',
};
const ONE = 'i-00000001';

const success = (output: unknown): Invocation => ({
  status: 'Success',
  finished: true,
  exitCode: 0,
  stdout: `starting\n${JSON.stringify(output)}\n`,
  stderr: '',
});
const failure = (exitCode: number): Invocation => ({
  ...success(null),
  status: 'Failed',
  exitCode,
  stderr: 'first\nlast words\n',
});
const machine = (instanceId: string, fields: Partial<Machine> = {}): Machine => ({
  instanceId,
  state: 'running',
  tags: { slot: 0, generation: 1 },
  instanceType: 't4g.medium',
  availabilityZone: 'eu-west-3a',
  privateIp: '10.0.0.1',
  launchedAt: NOW - 60_000,
  stateReason: null,
  ...fields,
});
const slot = (number: number, instances: SlotState['instances'] = []): SlotState => ({
  slot: number,
  generation: instances.length,
  instances,
  suspicion: null,
  departures: [],
  replacing: null,
  launching: null,
  launchedBy: null,
});

/** One server in service, as every source sees it; a test changes what it is about. */
function sources() {
  const asked: string[][] = [];
  const platform = testPlatform();
  const world = {
    tagged: [machine(ONE)],
    known: [machine(ONE)],
    inventory: [
      slot(0, [{ instanceId: ONE, generation: 1, launchedAt: NOW - 61_000 }]),
      ...[1, 2, 3, 4].map((n) => slot(n)),
    ],
    agents: new Map<string, 'online' | 'lost'>([[ONE, 'online']]),
    health: new Map<string, TargetHealth>([[ONE, 'healthy']]),
    answers: new Map<string, (Invocation | null)[]>([[ONE, [null, success(REPORT)]]]),
  };
  const all: Sources = {
    records: {
      read: async () => ({
        desired: 'present',
        phase: { name: 'uninitialised' },
        incarnation: 'life-1',
        k3sVersion: null,
        appliedManifests: null,
        paused: false,
      }),
    },
    slots: { readAll: async () => world.inventory },
    instances: {
      byTag: async () => world.tagged,
      byId: async (ids) => world.known.filter(({ instanceId }) => ids.includes(instanceId)),
      statusChecks: async (ids) => new Map(ids.map((id) => [id, 'ok'])),
    },
    commands: {
      agents: async () => world.agents,
      ask: async (_script, ids) => {
        asked.push(ids);
        return 'c-1';
      },
      invocation: async (_command, id) => {
        const answers = world.answers.get(id) ?? [];
        return answers.length > 1 ? (answers.shift() ?? null) : (answers[0] ?? null);
      },
    },
    targets: { health: async () => world.health },
    servers: 3,
    now: platform.now,
    sleep: platform.sleep,
  };
  return { world, all, asked, platform };
}

const throttled = () => Promise.reject(new Throttled('DescribeInstances was throttled'));

describe('an observation', () => {
  it('puts together what table, EC2, load balancer, SSM and K3s say', async () => {
    const { all, asked } = sources();
    const observation = await observe(all);
    expect(asked).toEqual([[ONE]]);
    expect(observation).toMatchObject({ at: NOW, blind: [], view: { reporters: [ONE] } });
    expect(observation.slots.map((record) => record.slot)).toEqual([0, 1, 2]);
    expect(observation.instances).toEqual([
      {
        instanceId: ONE,
        slot: 0,
        generation: 1,
        inventoried: true,
        state: 'running',
        availabilityZone: 'eu-west-3a',
        privateIp: '10.0.0.1',
        launchedAt: NOW - 60_000,
        statusCheck: 'ok',
        agent: 'online',
        targets: { http: 'healthy', https: 'healthy', api: 'healthy' },
        report: expect.objectContaining({ k3s: 'active', etcdHealthy: true }),
      },
    ]);
  });

  it('finds an instance that carries the tags and is not in the inventory', async () => {
    const { all, world } = sources();
    world.tagged.push(machine('i-00000002', { tags: { slot: 1, generation: 3 } }));
    const { instances } = await observe(all);
    expect(instances[1]).toMatchObject({ slot: 1, generation: 3, inventoried: false, agent: 'never' });
  });

  it('trusts the inventory over tags, and asks for what has lost its tags', async () => {
    const { all, world } = sources();
    world.tagged = [];
    world.known = [machine(ONE, { tags: null, state: 'terminated', privateIp: null })];
    const { instances, blind } = await observe(all);
    expect(instances).toMatchObject([{ slot: 0, generation: 1, state: 'terminated', report: null }]);
    expect(blind).toEqual([]);
  });

  it('takes an instance that EC2 has forgotten for terminated, unless it is too young to be forgotten', async () => {
    const { all, world } = sources();
    world.tagged = world.known = [];
    expect((await observe(all)).instances).toMatchObject([{ state: 'unknown' }]);
    world.inventory[0] = slot(0, [{ instanceId: ONE, generation: 1, launchedAt: NOW - 3_600_000 }]);
    expect((await observe(all)).instances).toMatchObject([{ state: 'terminated' }]);
  });

  it('says unknown where EC2 could not be asked, and that it could not', async () => {
    const { all } = sources();
    all.instances.byTag = throttled;
    const { instances, blind } = await observe(all);
    expect(instances).toMatchObject([{ state: 'unknown', statusCheck: 'unknown', agent: 'unknown' }]);
    expect(blind).toEqual(['EC2 instances: Throttled: DescribeInstances was throttled']);
  });

  it('takes no instance for forgotten, however old, that EC2 could not be asked for', async () => {
    const { all, world } = sources();
    world.inventory[0] = slot(0, [{ instanceId: ONE, generation: 1, launchedAt: NOW - 3_600_000 }]);
    all.instances.byTag = throttled;
    expect((await observe(all)).instances).toMatchObject([{ state: 'unknown' }]);
    all.instances.byTag = async () => [];
    all.instances.byId = throttled;
    expect((await observe(all)).instances).toMatchObject([{ state: 'unknown' }]);
  });

  it('says unknown where the load balancer could not be asked, and unregistered where it could', async () => {
    const { all, world } = sources();
    world.health = new Map();
    all.targets.health = async (group) => (group === 'api' ? throttled() : world.health);
    const { instances, blind } = await observe(all);
    expect(instances[0]?.targets).toEqual({ http: 'unregistered', https: 'unregistered', api: 'unknown' });
    expect(blind).toEqual([expect.stringContaining('targets of api')]);
  });

  it('asks no server whose agent is not online', async () => {
    const { all, world, asked } = sources();
    world.agents = new Map([[ONE, 'lost']]);
    const { instances, view } = await observe(all);
    expect(asked).toEqual([]);
    expect(instances[0]).toMatchObject({ agent: 'lost', report: null });
    expect(view).toBeNull();
  });

  it('names a server by its tags alone as blind spot when they tell no slot', async () => {
    const { all, world } = sources();
    world.tagged.push(machine('i-00000009', { tags: null }));
    const { instances, blind } = await observe(all);
    expect(instances).toHaveLength(1);
    expect(blind).toEqual([expect.stringContaining('i-00000009')]);
  });

  it('cannot be made without the table', async () => {
    const { all } = sources();
    all.slots.readAll = throttled;
    await expect(observe(all)).rejects.toMatchObject({ name: 'Throttled' });
  });
});

describe('the servers’ reports', () => {
  it('are waited for no longer than a function lives', async () => {
    const { all, world, platform } = sources();
    world.answers.set(ONE, [null]);
    const { instances, blind } = await observe(all);
    expect(instances[0]?.report).toBeNull();
    expect(blind).toEqual([]);
    expect(platform.now() - NOW).toBeLessThanOrEqual(18_000);
  });

  it('are acted upon while they are fresh: one that does not come is waited for only as long as the others took', async () => {
    const { world, all, platform } = sources();
    const ids = [ONE, 'i-00000002', 'i-00000003'];
    world.tagged = ids.map((id, index) => machine(id, { tags: { slot: index, generation: 1 } }));
    world.agents = new Map(ids.map((id) => [id, 'online']));
    world.answers = new Map(ids.map((id, index) => [id, index < 2 ? [success(REPORT)] : [null]]));
    const { instances } = await observe(all);
    expect(instances.map(({ report }) => report !== null)).toEqual([true, true, false]);
    expect(platform.now() - NOW).toBeLessThanOrEqual(6_000);
  });

  it('say it when user data has not finished', async () => {
    const { all, world } = sources();
    world.answers.set(ONE, [
      success({ ...REPORT, k3s: 'preparing', etcdHealthy: null, apiReady: false, dbInfo: null }),
    ]);
    expect(await observe(all)).toMatchObject({ instances: [{ report: { k3s: 'preparing' } }], view: null, blind: [] });
  });

  it('that fail are named, with the script’s last words', async () => {
    const { all, world } = sources();
    world.answers.set(ONE, [failure(1)]);
    expect((await observe(all)).blind).toEqual([`ReportStatus on ${ONE} exited 1: last words`]);
  });

  it('that make no sense are named, with the field', async () => {
    const { all, world } = sources();
    world.answers.set(ONE, [success({ ...REPORT, apiReady: 'yes' })]);
    expect((await observe(all)).blind).toEqual([expect.stringMatching(/ReportStatus on .* apiReady: /)]);
  });

  it('are asked for one by one when SSM refuses one of them', async () => {
    const { all, world, asked } = sources();
    const TWO = 'i-00000002';
    world.tagged.push(machine(TWO, { tags: { slot: 1, generation: 1 } }));
    world.agents.set(TWO, 'online');
    all.commands.ask = async (_script, ids) => {
      asked.push(ids);
      if (ids.includes(TWO)) throw Object.assign(new Error('no agent'), { name: 'InvalidInstanceId' });
      return 'c-1';
    };
    const { instances, blind } = await observe(all);
    expect(asked).toEqual([[ONE, TWO], [ONE], [TWO]]);
    expect(instances.map(({ report }) => report !== null)).toEqual([true, false]);
    expect(blind).toEqual([]);
  });
});
