/** Under what circumstances the self-healer acts, and under which it must not. */
import type { Delivery } from '../../../local/aws/events';
import { discardAltered, withTimeout } from '../../support/altered-assembly';
import { bootTest, closeAll, type TestCluster } from '../../support/embedded';
import { MUTATIONS } from '../../support/expectations';
import { createdCluster } from './healing';

afterEach(closeAll);
afterAll(discardAltered);

const REPLACED = /^\[demo\] server-1 replaced in \d+ s$/;

/** What functions and nodes changed, AWS's own bookkeeping and the question how servers are left out. */
const changes = ({ calls }: TestCluster) =>
  calls.filter(({ operation }) => MUTATIONS.has(operation) && operation !== 'UpdateItem');

/** The name of a rule without the cluster's. */
const ruleOf = ({ rule }: Delivery) => rule.name.replace('k3s-demo-', '');
const HINTS = ['instance-state', 'spot-interruption', 'health', 'healthy-hosts', 'schedule'];

describe('without anybody’s wish', () => {
  it('nothing is created, whatever happens', async () => {
    const cluster = await bootTest();
    await cluster.pass(600);
    expect(cluster.launched).toEqual([]);
    expect(changes(cluster)).toEqual([]);
    expect(cluster.state.executions).toEqual([]);
  });

  it('nothing is brought back once the cluster was deleted', async () => {
    const { cluster } = await createdCluster();
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
    cluster.calls.length = 0;
    await cluster.pass(900);
    expect(cluster.living).toEqual([]);
    expect(changes(cluster)).toEqual([]);
    expect(cluster.state.executions).toHaveLength(2);
  });

  it('nothing is repaired while healing is paused, which people are told, once, until it is resumed', async () => {
    const trial = await createdCluster();
    await trial.pause(true);
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.cluster.pass(900);
    expect(trial.cluster.living).toHaveLength(2);
    expect(trial.repairs).toEqual([]);
    expect(trial.subjects).toEqual(['[demo] server-1 not replaced: healing is paused']);
    expect(trial.messages[0]).toMatch(/^Healing: +PAUSED/m);
    await trial.pause(false);
    await trial.healed([1]);
    expect(trial.subjects.slice(1)).toEqual([expect.stringMatching(REPLACED)]);
  });
});

describe('when everything that could be observed is throttled', () => {
  it('nothing is done about a server that died, until it can be seen', async () => {
    const trial = await createdCluster();
    for (const service of ['ec2', 'elasticloadbalancing', 'ssm']) await trial.inject({ kind: 'throttle', service });
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.cluster.pass(900);
    expect(changes(trial.cluster).filter(({ error }) => error === undefined)).toEqual([]);
    expect(trial.repairs).toEqual([]);
    await trial.heal();
    await trial.healed([1]);
    expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
  });

  it('and the table as well, nothing is done either', async () => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'throttle', service: '*' });
    await trial.cluster.pass(900);
    await trial.heal();
    await trial.cluster.pass(300);
    await trial.healed([]);
    expect(trial.repairs).toEqual([]);
    expect(trial.terminated).toEqual([]);
  });
});

describe('events', () => {
  it('that come twice, late and in another order change neither the outcome nor what people are told', async () => {
    const trial = await createdCluster();
    const random = trial.cluster.aws.world.random.fork('unordered events');
    trial.cluster.aws.services.events.plan = () => [random.next() * 90_000, random.next() * 90_000];
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.healed([1]);
    await trial.cluster.pass(180);
    expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
    expect(trial.cluster.launched).toHaveLength(4);
  });

  it('that are lost, all but the schedule’s, only delay it', async () => {
    const trial = await createdCluster();
    trial.cluster.aws.services.events.plan = (delivery) => {
      const rule = ruleOf(delivery);
      return HINTS.includes(rule) && rule !== 'schedule' ? [] : [0];
    };
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.healed([1]);
    expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
  });

  it('of the schedule that are lost leave it to the others, and people hear that nobody watches', async () => {
    const trial = await createdCluster();
    trial.cluster.aws.services.events.plan = (delivery) => (ruleOf(delivery) === 'schedule' ? [] : [0]);
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.healed([1]);
    await trial.cluster.pass(1200);
    expect(trial.subjects).toEqual([
      expect.stringMatching(REPLACED),
      '[demo] nobody watches the cluster: the minute check has stopped',
    ]);
  });
});

describe('AWS’ announcements', () => {
  const TROUBLE = { service: 'EC2', eventTypeCode: 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED' };

  /** What the healer wrote about hints other than the schedule's. */
  const decisions = ({ aws }: TestCluster) =>
    aws.services.logs
      .lines('/aws/lambda/k3s-demo-handle-node-event')
      .filter(({ message }) => /AWS Health|spot instance/.test(message))
      .map(({ message }) => JSON.parse(message))
      .map(({ message, hint, decision }) => [message, hint, decision]);

  it('make it look, and do nothing about a server that is well', async () => {
    const { cluster } = await createdCluster();
    const { events } = cluster.aws.services;
    const { instanceId } = cluster.server(1);
    const announce = (source: string, detailType: string, detail: Record<string, unknown>) =>
      events.emit({ source, detailType, resources: [], detail });
    announce('aws.health', 'AWS Health Event', { ...TROUBLE, affectedEntities: [{ entityValue: instanceId }] });
    announce('aws.health', 'AWS Health Event', {
      ...TROUBLE,
      affectedEntities: [{ entityValue: 'i-0123456789abcdef0' }],
    });
    announce('aws.ec2', 'EC2 Spot Instance Interruption Warning', {
      'instance-id': instanceId,
      'instance-action': 'terminate',
    });
    await cluster.pass(30);
    const health = 'AWS Health: AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED of EC2';
    const spot = `EC2 is about to terminate the spot instance ${instanceId}`;
    expect(decisions(cluster).sort()).toEqual([
      ['decided', health, 'none'],
      ['decided', spot, 'none'],
      ['ignored event', health, undefined],
    ]);
    expect(changes(cluster)).toEqual([]);
  });
});

it('what a repair asks may answer slowly: that delays it and nothing else', async () => {
  const trial = await createdCluster();
  for (const service of ['dynamodb', 'lambda', 'ssm', 'states'])
    await trial.inject({ kind: 'slow', service, factor: 8 });
  await trial.inject({ kind: 'terminate', slot: 1 });
  await trial.healed([1]);
  expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
  expect(trial.terminated).toEqual([]);
});

describe('a repair that somebody stopped half-way', () => {
  it.each([
    ['after it launched the successor', 'TerminateServer'],
    ['while the successor joins', 'CheckStartServer'],
    ['while the load balancer takes note', 'AwaitTargets'],
  ])('%s is finished by the next, and people are told of both', async (_, state) => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'terminate', slot: 1 });
    const { arn, name } = await trial.cluster.enters(state);
    await trial.cluster.stop(arn);
    await trial.healed([1]);
    expect(trial.subjects).toEqual([`[demo] execution ${name} was aborted`, expect.stringMatching(REPLACED)]);
    expect(trial.cluster.launched).toHaveLength(4);
  });
});

it('an execution that is cut off by its time limit is told, and finished by the next', async () => {
  const trial = await createdCluster({ assembly: withTimeout(300) });
  await trial.inject({ kind: 'never-boots', slot: 1 }, { kind: 'terminate', slot: 1 });
  await trial.cluster.pass(320);
  await trial.heal();
  const [cutOff] = trial.repairs;
  expect(cutOff).toMatchObject({ status: 'TIMED_OUT' });
  await trial.healed([1], 1800);
  expect(trial.subjects[0]).toBe(`[demo] execution ${cutOff?.name} timed out`);
  expect(trial.subjects.at(-1)).toMatch(REPLACED);
});

it.each([
  'waits until the hour is over, and people are told once',
  'does so too when the first answer to every write of the table is lost',
])('the fourth server that dies within an hour %s', async (how) => {
  const trial = await createdCluster();
  if (how.includes('lost')) {
    let write = 0;
    // Every second one: the SDK's next attempt meets what the first has done.
    const when = () => write++ % 2 === 0;
    trial.cluster.aws.world.faults.onCall('dynamodb', 'UpdateItem', { kind: 'lost-reply' }, { when });
  }
  const dies = (slot: number) => trial.inject({ kind: 'terminate', slot });
  const died: number[] = [];
  for (const slot of [0, 1, 2]) {
    await dies(slot);
    died.push(slot);
    await trial.healed(died);
  }
  expect(trial.subjects).toEqual(died.map((slot) => expect.stringMatching(`^\\[demo\\] server-${slot} replaced in`)));
  await dies(1);
  await trial.cluster.pass(1200);
  expect(trial.cluster.living).toHaveLength(2);
  await trial.healed(died, 3600);
  expect(trial.subjects.slice(3)).toEqual([
    '[demo] server-1 not replaced: too many replacements within an hour',
    expect.stringMatching(REPLACED),
  ]);
});
