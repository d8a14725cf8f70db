/** Each kind of fault on a cluster of three servers, with nobody who would repair anything. */
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { ListStateMachinesCommand } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { type IncidentRequest, parseIncident } from '../../local/incidents';
import { call } from '../support/call';
import { bootTest, closeAll, type TestCluster } from '../support/embedded';

afterEach(closeAll);

/** A cluster whose events reach nobody. */
async function cluster(): Promise<TestCluster> {
  const test = await bootTest();
  test.aws.services.events.plan = () => [];
  expect(await test.create()).toMatchObject({ status: 'SUCCEEDED' });
  return test;
}

function server(test: TestCluster, slot: number) {
  const found = test.servers.find((candidate) => candidate.slot === slot);
  if (!found) throw new Error(`no server-${slot}`);
  return found;
}

const health = (test: TestCluster, instanceId: string) =>
  Object.fromEntries(
    test.state.targetGroups.map(({ name, targets }) => [
      name.replace('k3s-demo-', ''),
      targets.find(({ id }) => id === instanceId)?.state,
    ]),
  );
const EVERYWHERE = (state: string) => ({ http: state, https: state, api: state });

const readiness = (test: TestCluster, instanceId: string) =>
  test.state.nodes.find(({ name }) => name === instanceId)?.ready;

const isWhole = (test: TestCluster) =>
  test.servers.every(({ ready, etcdVoter }) => ready && etcdVoter) &&
  test.state.targetGroups.every(({ healthy }) => healthy === 3);

async function ping(test: TestCluster, instanceId: string): Promise<string | undefined> {
  const answer = await call(test.aws.world, test.aws.services.ssm, 'DescribeInstanceInformation', {});
  return z
    .object({ InstanceInformationList: z.array(z.object({ InstanceId: z.string(), PingStatus: z.string() })) })
    .parse(answer)
    .InstanceInformationList.find(({ InstanceId }) => InstanceId === instanceId)?.PingStatus;
}

/** What EC2's status check says of the instance. */
async function statusCheck(test: TestCluster, instanceId: string): Promise<string | undefined> {
  const answer = await call(test.aws.world, test.aws.services.ec2, 'DescribeInstanceStatus', {
    InstanceId: [instanceId],
  });
  return z
    .object({ instanceStatusSet: z.array(z.object({ instanceStatus: z.object({ status: z.string() }) })) })
    .parse(answer).instanceStatusSet[0]?.instanceStatus.status;
}

async function alarms(test: TestCluster): Promise<Record<string, string>> {
  const answer = await call(test.aws.world, test.aws.services.cloudwatch, 'DescribeAlarms', {});
  const { MetricAlarms } = z
    .object({ MetricAlarms: z.array(z.object({ AlarmName: z.string(), StateValue: z.string() })) })
    .parse(answer);
  return Object.fromEntries(
    MetricAlarms.map(({ AlarmName, StateValue }) => [AlarmName.replace('k3s-demo-', ''), StateValue]),
  );
}

/** What K3s on a server answers itself about its API; the load balancer and other servers are not asked. */
const ownApi = (test: TestCluster, address: string) =>
  test.clock.until(test.aws.network.probe(address, address, 6443, { protocol: 'HTTPS', path: '/readyz' }, 1000));

describe('terminate', () => {
  it('ends the instance as an event from outside', async () => {
    const test = await cluster();
    const { instanceId } = server(test, 1);
    const events: unknown[] = [];
    test.aws.services.events.onEvent(({ source, detail }) => source === 'aws.ec2' && events.push(detail));
    expect(test.aws.incidents.inject({ kind: 'terminate', slot: 1 })).toEqual({
      id: 'fault-1',
      at: test.state.at,
      kind: 'terminate',
      instanceId,
      slot: 1,
      availabilityZone: 'eu-west-3b',
      effect: `server-1 (${instanceId}) is being terminated`,
    });
    expect(test.aws.incidents.list()).toEqual([]);
    await test.clock.advance(120_000);
    expect(events).toEqual([
      { 'instance-id': instanceId, state: 'shutting-down' },
      { 'instance-id': instanceId, state: 'terminated' },
    ]);
    expect(readiness(test, instanceId)).toBe('Unknown');
    expect(health(test, instanceId)).toEqual(EVERYWHERE('unused'));
    expect(test.state.members.filter(({ running }) => !running)).toHaveLength(1);
  });
});

it('a server that is not there is named beside those that are', async () => {
  const test = await cluster();
  expect(() => test.aws.incidents.inject({ kind: 'terminate', slot: 9 })).toThrow(
    'there is no server-9: there are server-0, server-1, server-2',
  );
});

describe('stop', () => {
  it('stops the instance, which stays known', async () => {
    const test = await cluster();
    const { instanceId } = server(test, 2);
    test.aws.incidents.inject({ kind: 'stop', instanceId });
    await test.clock.advance(120_000);
    expect(server(test, 2)).toMatchObject({ instanceId, state: 'stopped', ready: false });
    expect(() => test.aws.incidents.inject({ kind: 'stop', slot: 2 })).toThrow(
      `server-2 (${instanceId}) is stopped, not running`,
    );
  });
});

describe('hang', () => {
  it('leaves EC2 saying running while nothing on the machine answers', async () => {
    const test = await cluster();
    const { instanceId, privateIp } = server(test, 0);
    await test.clock.advance(180_000);
    expect(await alarms(test)).toMatchObject({ 'healthy-hosts-api': 'OK', 'healthy-hosts-http': 'OK' });
    test.aws.incidents.inject({ kind: 'hang', slot: 0 });
    await test.clock.advance(60_000);
    expect(server(test, 0)).toMatchObject({ instanceId, state: 'running' });
    expect(health(test, instanceId)).toEqual(EVERYWHERE('unhealthy'));
    expect(readiness(test, instanceId)).toBe('Unknown');
    expect(await ownApi(test, privateIp)).toEqual({ ok: false, reason: 'timeout' });
    expect(test.state.members.find(({ address }) => address === privateIp)).toMatchObject({
      running: false,
      leader: false,
    });
    expect(test.state.members.filter(({ leader }) => leader)).toHaveLength(1);
    await test.clock.advance(360_000);
    expect(await statusCheck(test, instanceId)).toBe('impaired');
    expect(await ping(test, instanceId)).toBe('ConnectionLost');
    expect(await alarms(test)).toMatchObject({ 'healthy-hosts-api': 'ALARM', 'healthy-hosts-http': 'ALARM' });
  });

  it('ends with the power of its machine only', async () => {
    const test = await cluster();
    test.aws.incidents.inject({ kind: 'hang', slot: 0 });
    expect(test.aws.incidents.clear()).toEqual({
      ended: [],
      remaining: [expect.objectContaining({ id: 'fault-1', kind: 'hang', slot: 0 })],
    });
    test.aws.incidents.inject({ kind: 'terminate', slot: 0 });
    expect(test.aws.incidents.list()).toEqual([]);
  });
});

describe('k3s-crash', () => {
  it('takes the API away while containers run on, until it is ended', async () => {
    const test = await cluster();
    const { instanceId, privateIp } = server(test, 1);
    test.aws.incidents.inject({ kind: 'k3s-crash', slot: 1 });
    await test.clock.advance(30_000);
    expect(health(test, instanceId)).toMatchObject({ api: 'unhealthy', http: 'healthy' });
    await test.clock.advance(60_000);
    expect(readiness(test, instanceId)).toBe('Unknown');
    const echo = test.aws.network.probe('nlb', privateIp, 32000, { protocol: 'TCP' }, 1000);
    expect(await test.clock.until(echo)).toEqual({ ok: true });
    expect(await ping(test, instanceId)).toBe('Online');
    expect(test.aws.incidents.clear().ended).toHaveLength(1);
    await test.becomes(() => isWhole(test), 180);
  });
});

describe('agent-lost', () => {
  it('silences the SSM agent of a server that is well', async () => {
    const test = await cluster();
    const { instanceId } = server(test, 2);
    test.aws.incidents.inject({ kind: 'agent-lost', slot: 2 });
    await test.clock.advance(420_000);
    expect(await ping(test, instanceId)).toBe('ConnectionLost');
    expect(isWhole(test)).toBe(true);
    test.aws.incidents.clear();
    expect(await ping(test, instanceId)).toBe('Online');
  });
});

describe('partition', () => {
  it('cuts the zone off from everything, and heals', async () => {
    const test = await cluster();
    const leader = test.state.members.find((member) => member.leader)?.address;
    const victim = test.servers.find(({ privateIp }) => privateIp === leader);
    if (!victim) throw new Error('etcd has no leader');
    const { instanceId, privateIp, availabilityZone } = victim;
    test.aws.incidents.inject({ kind: 'partition', availabilityZone });
    await test.clock.advance(90_000);
    // The load balancer and the other servers do not reach it.
    expect(health(test, instanceId)).toEqual(EVERYWHERE('unhealthy'));
    expect(readiness(test, instanceId)).toBe('Unknown');
    // The others have elected one of them; its own API has lost the quorum.
    const members = test.state.members.filter((member) => member.leader);
    expect(members).toEqual([expect.not.objectContaining({ address: privateIp })]);
    const lost = [
      { ok: true, status: 503 },
      { ok: false, reason: 'refused' },
    ];
    expect(lost).toContainEqual(await ownApi(test, privateIp));
    await test.clock.advance(330_000);
    expect(await ping(test, instanceId)).toBe('ConnectionLost');
    expect(test.state.servers).toHaveLength(3);

    expect(test.aws.incidents.clear().ended).toEqual([
      expect.objectContaining({ kind: 'partition', availabilityZone }),
    ]);
    await test.becomes(() => isWhole(test), 180);
    await test.clock.advance(300_000);
    expect(await ping(test, instanceId)).toBe('Online');
  });
});

describe('never-boots', () => {
  it('lets what is launched for the slot run without a kernel', async () => {
    const test = await cluster();
    test.aws.incidents.inject({ kind: 'never-boots', slot: 1 });
    expect(isWhole(test)).toBe(true);
    test.aws.incidents.inject({ kind: 'terminate', slot: 1 });
    await test.start('cluster');
    await test.becomes(() => test.servers.some(({ slot, state }) => slot === 1 && state === 'running'), 300);
    const { instanceId } = server(test, 1);
    await test.clock.advance(185_000);
    expect(test.aws.services.ec2.machine(instanceId)).toBeUndefined();
    expect(await statusCheck(test, instanceId)).toBe('impaired');
    expect(await ping(test, instanceId)).toBeUndefined();
    expect(test.aws.incidents.clear().ended).toEqual([expect.objectContaining({ kind: 'never-boots', slot: 1 })]);
  });
});

describe('slow', () => {
  it('multiplies what a service takes, its calls included', async () => {
    const test = await bootTest();
    const time = async () => {
      const before = test.clock.now();
      await test.send(() => test.ec2.send(new DescribeVpcsCommand({})));
      return test.clock.now() - before;
    };
    const usual = await time();
    const { faults } = test.aws.world;
    test.aws.incidents.inject({ kind: 'slow', service: 'ec2', factor: 100 });
    expect(await time()).toBeGreaterThan(10 * usual);
    expect(faults.slowness('ec2.boot')).toBe(100);
    expect(faults.slowness('api.call', 'ssm')).toBe(1);
    test.aws.incidents.inject({ kind: 'slow' });
    expect(faults.slowness('ec2.boot')).toBe(1000);
    expect(faults.slowness('api.call', 'ssm')).toBe(10);
    test.aws.incidents.clear();
    expect(await time()).toBeLessThan(10 * usual);
  });
});

describe('throttle', () => {
  it('refuses every call of the service, and no other’s', async () => {
    const test = await bootTest();
    const describeVpcs = () => test.send(() => test.ec2.send(new DescribeVpcsCommand({})));
    const listMachines = () => test.send(() => test.sfn.send(new ListStateMachinesCommand({})));
    test.aws.incidents.inject({ kind: 'throttle', service: 'ec2' });
    await expect(describeVpcs()).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
    await listMachines();
    test.aws.incidents.inject({ kind: 'throttle', service: '*' });
    await expect(listMachines()).rejects.toThrow();
    test.aws.incidents.clear();
    await describeVpcs();
  });
});

describe('what makes no sense is refused, naming the field:', () => {
  it.each<[unknown, string]>([
    [[], 'the fault must be an object'],
    [
      { kind: 'explode' },
      'kind must be one of terminate, stop, hang, k3s-crash, agent-lost, partition, never-boots, slow, throttle',
    ],
    [{}, 'kind must be one of terminate, '],
    [{ kind: 'terminate' }, 'instanceId is required, or slot'],
    [{ kind: 'terminate', slot: 1, instanceId: 'i-0123456789abcdef0' }, 'instanceId cannot go with slot: give one'],
    [{ kind: 'terminate', slot: 'one' }, 'slot must be the number of a slot, is "one"'],
    [{ kind: 'hang', instanceId: 'server-1' }, 'instanceId must be an instance id such as'],
    [{ kind: 'partition' }, 'availabilityZone is required: must be the name of an availability zone'],
    [{ kind: 'partition', availabilityZone: 'eu-west-3a', slot: 1 }, 'slot is not a field of this kind of fault'],
    [{ kind: 'never-boots' }, 'slot is required, or availabilityZone'],
    [{ kind: 'slow', factor: 0.5 }, 'factor must be a number above 1, is 0.5'],
    [{ kind: 'throttle' }, 'service is required: must be the name of a service'],
  ])('%j', (input, message) => {
    expect(() => parseIncident(input)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(message) }),
    );
  });
});

describe('over HTTP', () => {
  async function request(test: TestCluster, method: string, path: string, body: unknown = '') {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await test.aws.route({
      method,
      path,
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.from(text),
    });
    return { status: response.status, body: JSON.parse(response.body.toString()) };
  }

  it('a fault is injected, listed and ended', async () => {
    const test = await bootTest();
    const fault: IncidentRequest = { kind: 'partition', availabilityZone: 'eu-west-3a' };
    const injected = await request(test, 'POST', '/_local/faults', fault);
    expect(injected).toEqual({
      status: 200,
      body: { ...fault, id: 'fault-1', at: test.state.at, effect: 'no packet enters or leaves eu-west-3a' },
    });
    expect(await request(test, 'GET', '/_local/faults')).toEqual({ status: 200, body: [injected.body] });
    expect(await request(test, 'DELETE', '/_local/faults')).toEqual({
      status: 200,
      body: { ended: [injected.body], remaining: [] },
    });
    expect(await request(test, 'GET', '/_local/faults')).toEqual({ status: 200, body: [] });
  });

  it('what is no JSON is refused', async () => {
    const test = await bootTest();
    expect(await request(test, 'POST', '/_local/faults', '{')).toEqual({
      status: 400,
      body: { error: expect.stringContaining('the body is not JSON: ') },
    });
  });

  it('the field that is wrong is named', async () => {
    const test = await bootTest();
    expect(await request(test, 'POST', '/_local/faults', { kind: 'stop', slot: -1 })).toEqual({
      status: 400,
      body: {
        error: 'slot must be the number of a slot, is -1',
        faults: [{ field: 'slot', message: 'must be the number of a slot, is -1' }],
      },
    });
  });

  it('a target that does not exist is not found', async () => {
    const test = await bootTest();
    for (const [fault, error] of [
      [{ kind: 'terminate', slot: 1 }, 'there is no server-1: there are none'],
      [{ kind: 'hang', instanceId: 'i-0123456789abcdef0' }, 'EC2 knows no instance i-0123456789abcdef0'],
      [
        { kind: 'partition', availabilityZone: 'eu-west-3d' },
        'eu-west-3 has no availability zone eu-west-3d; it has eu-west-3a, eu-west-3b, eu-west-3c',
      ],
      [{ kind: 'throttle', service: 'rds' }, 'there is no service rds; there are *, codebuild, dynamodb, '],
    ] satisfies [IncidentRequest, string][]) {
      expect(await request(test, 'POST', '/_local/faults', fault)).toEqual({
        status: 404,
        body: { error: expect.stringContaining(error) },
      });
    }
  });

  it('the inbox holds what SNS delivered', async () => {
    const test = await bootTest();
    expect(await request(test, 'GET', '/_local/inbox')).toEqual({ status: 200, body: [] });
    await test.create();
    await test.clock.advance(30_000);
    const { body } = await request(test, 'GET', '/_local/inbox');
    expect(body).toEqual([
      {
        subject: expect.stringMatching(/^\[demo\] /),
        message: expect.any(String),
        at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });
});
