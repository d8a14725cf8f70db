import { TableNetwork } from '../../local/network-table';
import { bootTest, closeAll, type Ended, stateEntered, type TestCluster } from '../support/embedded';
import { expectHealthy, MUTATIONS } from '../support/expectations';

describe('an execution with {} on an account with nothing but the stack', () => {
  let cluster: TestCluster;
  let creation: Ended;

  // Looked at from all sides, and not changed.
  beforeAll(async () => {
    cluster = await bootTest();
    creation = await cluster.create();
  });

  it('creates three voters in three zones that are Ready and receive traffic', () => {
    expect(creation.status).toBe('SUCCEEDED');
    expectHealthy(cluster);
    expect(new Set(cluster.servers.map(({ availabilityZone }) => availabilityZone)).size).toBe(3);
    expect(creation.output).toMatchObject({ status: 'converged', changed: true, rounds: 1 });
    expect(creation.output.servers).toEqual(
      cluster.servers.map(({ slot, instanceId, availabilityZone, privateIp }) => ({
        slot,
        instanceId,
        availabilityZone,
        privateIp,
        ready: true,
        etcdVoter: true,
        healthyTargets: 3,
      })),
    );
  });

  it('passes through the stages by the names that people know', () => {
    const [{ history } = { history: [] }] = cluster.aws.services.states.listExecutions();
    const entered = history.flatMap((event) => stateEntered(event) ?? []);
    const stages = [
      ...['AcquireLease', 'AssessCluster', 'LaunchServers', 'StartAndRegister', 'BeginInit', 'CompleteInit'],
      ...['JoinServers', 'ApplyManifests', 'AwaitTargets', 'ReleaseLease', 'Converged'],
    ];
    const seen = new Set(entered.filter((state) => stages.includes(state)));
    expect([...seen]).toEqual(stages);
  });

  it('ends with a demo that answers through the balancer, from more than one server', async () => {
    const { network } = cluster.aws;
    if (!(network instanceof TableNetwork)) throw new Error('this test needs the network without sockets');
    const answers = [];
    for (let request = 0; request < 12; request++) answers.push(await cluster.clock.until(network.request(80)));
    expect(answers.map((answer) => answer.ok && answer.response.status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map((answer) => answer.ok && answer.address)).size).toBeGreaterThan(1);
  });

  it('calls AWS only as the roles of its functions and nodes', () => {
    const callers = new Set(cluster.calls.map(({ caller }) => caller.replace(/^i-[0-9a-f]{17}$/, 'a node')));
    for (const caller of callers) expect(caller).toMatch(/^(a node|k3s-demo-[a-z-]+)$/);
    expect(callers.size).toBeGreaterThan(10);
  });

  it('runs the echo image that the deployment built, which every node pulled with its own role', () => {
    const pulls = cluster.calls.filter(({ operation }) => operation === 'BatchGetImage');
    expect(pulls.map(({ caller }) => caller).sort()).toEqual(
      cluster.servers.map(({ instanceId }) => instanceId).sort(),
    );
    expect(pulls.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  });

  afterAll(closeAll);
});

describe('a second execution', () => {
  afterEach(closeAll);

  it('on the healthy cluster succeeds and changes nothing', async () => {
    const cluster = await bootTest();
    await cluster.create();
    // Until everybody has been told of the first.
    await cluster.pass(60);
    cluster.calls.length = 0;
    const before = cluster.servers;
    const { status, output } = await cluster.run('cluster', { reason: 'to be sure' });
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ status: 'converged', changed: false, rounds: 0 });
    expect(cluster.servers).toEqual(before);
    const mutations = cluster.calls.filter(({ operation }) => MUTATIONS.has(operation));
    // Reading reports is itself a command; the only records that are written are the lease and the wish.
    expect(mutations.filter(({ operation }) => operation !== 'UpdateItem')).toEqual([
      expect.objectContaining({ operation: 'SendCommand', input: expect.objectContaining({ Comment: 'observing' }) }),
    ]);
    const written = cluster.calls
      .filter(({ operation }) => operation === 'UpdateItem')
      .map(({ input }) => keyOf(input));
    expect(new Set(written)).toEqual(new Set(['lease', 'cluster']));
  });

  it('started while the first runs ends well, naming the holder, and leaves it alone', async () => {
    const cluster = await bootTest();
    const first = await cluster.start('cluster');
    await cluster.enters('JoinServers');
    const second = await cluster.run('cluster');
    expect(second).toMatchObject({ status: 'SUCCEEDED', output: { status: 'held', holder: first, changed: false } });
    expect(await cluster.ended(first)).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
  });

  it('with the name of the first is the first', async () => {
    const cluster = await bootTest();
    const first = await cluster.start('cluster', {}, 'creation');
    expect(await cluster.start('cluster', {}, 'creation')).toBe(first);
    await cluster.ended(first);
    await expect(cluster.start('cluster', {}, 'creation')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });
});

describe('an execution input', () => {
  afterEach(closeAll);

  it.each([
    ['an unknown field', { servers: 5 }, 'servers: is not a known field'],
    ['a reason that is no text', { reason: 7 }, 'reason: Invalid input: expected string, received number'],
    ['a list', [], 'input: Invalid input: expected object, received array'],
    ['several faults', { origin: 'me', size: 1 }, /origin: .*; size: is not a known field/],
  ])('with %s is refused in the first state, naming the field', async (_, input, message) => {
    const cluster = await bootTest();
    const { status, error, cause } = await cluster.run('cluster', input);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
    expect(cause).toMatch(
      typeof message === 'string' ? `AcquireLease: the execution input is not valid: ${message}` : message,
    );
    expect(cluster.calls).toEqual([]);
  });

  it('that is not JSON is refused by Step Functions itself', async () => {
    const cluster = await bootTest();
    await expect(cluster.startRaw('{')).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  });
});

describe('virtual time', () => {
  afterEach(closeAll);

  it('gives the same history for the same seed, and another for another', async () => {
    const history = ({ aws, calls, state }: TestCluster) =>
      JSON.stringify([aws.services.states.listExecutions().map(({ history }) => history), calls, state]);
    const [first, again, other] = [
      await bootTest({ seed: 7 }),
      await bootTest({ seed: 7 }),
      await bootTest({ seed: 8 }),
    ];
    for (const cluster of [first, again]) {
      await cluster.create();
      await cluster.terminate(cluster.server(2).instanceId);
      await cluster.create();
    }
    // Not with `toBe`, whose message would be megabytes.
    expect(history(first) === history(again)).toBe(true);
    expect((await other.create()).seconds).not.toBe(
      (await first.describe(first.state.executions[0]?.arn ?? '')).seconds,
    );
  });
});

/** The id of the item that an UpdateItem call writes. */
function keyOf(input: unknown): unknown {
  return JSON.parse(JSON.stringify(input)).Key?.id?.S;
}
