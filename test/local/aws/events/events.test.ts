import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Events, type Targets } from '../../../../local/aws/events';
import { AwsError } from '../../../../local/aws/service';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { call, refusal } from '../../../support/call';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

const LAMBDA = 'arn:aws:lambda:eu-west-3:123456789012:function:handle';
const STATES = 'arn:aws:states:eu-west-3:123456789012:stateMachine:cluster';
const TOPIC = 'arn:aws:sns:eu-west-3:123456789012:alerts';
const RULE_ARN = 'arn:aws:events:eu-west-3:123456789012:rule/nodes';
const STATE_CHANGE = {
  source: 'aws.ec2',
  detailType: 'EC2 Instance State-change Notification',
  resources: ['arn:aws:ec2:eu-west-3:123456789012:instance/i-1'],
  detail: { 'instance-id': 'i-1', state: 'terminated' },
};

async function setUp(rule: object = {}, { invoke }: { invoke?: Targets['lambda']['invoke'] } = {}) {
  const world = testWorld();
  const received: { target: string; input: string; at: number }[] = [];
  const receive = (target: string, input: string) => received.push({ target, input, at: world.clock.now() });
  const permitted = new Set([`${LAMBDA} events.amazonaws.com ${RULE_ARN}`]);
  const events = new Events(world, {
    lambda: {
      invokeRefusal: (arn, { name, sourceArn }) =>
        permitted.has(`${arn} ${name} ${sourceArn}`) ? undefined : 'no resource-based policy allows it',
      invoke: async (request) => {
        if (invoke) await invoke(request);
        receive(request.functionName, request.payload);
        expect(request.invocationType).toBe('Event');
        return { statusCode: 202, payload: '' };
      },
    },
    states: { startAs: (_service, _roleArn, arn, input) => receive(arn, input) },
    sns: { publishAs: ({ name: principal }, arn, message) => receive(`${principal} ${arn}`, message) },
  });
  const provision = (properties: object) =>
    events.resources['AWS::Events::Rule']!('Rule', {
      Name: 'nodes',
      EventPattern: { source: ['aws.ec2'] },
      Targets: [{ Id: 'T', Arn: LAMBDA }],
      ...properties,
    });
  const provisioned = await provision(rule);
  const inputs = async () => {
    events.emit(STATE_CHANGE);
    await world.clock.advance(60_000);
    return received.map(({ input }) => JSON.parse(input));
  };
  return { world, events, received, permitted, provision, provisioned, inputs };
}

describe('a rule', () => {
  it('brings matching events to its target, within seconds', async () => {
    const { events, received, world, provisioned } = await setUp();
    expect(provisioned).toEqual({ ref: 'nodes', attributes: { Arn: RULE_ARN } });
    events.emit(STATE_CHANGE);
    events.emit({ ...STATE_CHANGE, source: 'aws.ssm' });
    const start = world.clock.now();
    await world.clock.advance(60_000);
    expect(received).toHaveLength(1);
    expect(received[0]!.target).toBe(LAMBDA);
    expect(received[0]!.at - start).toBeGreaterThan(0);
    expect(JSON.parse(received[0]!.input)).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'EC2 Instance State-change Notification',
      source: 'aws.ec2',
      account: '123456789012',
      time: '2026-01-01T00:00:00Z',
      region: 'eu-west-3',
      resources: STATE_CHANGE.resources,
      detail: STATE_CHANGE.detail,
    });
  });

  it('reaches state machines and topics too', async () => {
    const { inputs, received } = await setUp({
      Targets: [
        { Id: 'A', Arn: STATES, RoleArn: 'arn:aws:iam::123456789012:role/events', Input: '{"reason":"repair"}' },
        { Id: 'B', Arn: TOPIC, InputPath: '$.detail.state' },
      ],
    });
    await inputs();
    expect(received.map(({ target, input }) => [target, input]).sort()).toEqual([
      [STATES, '{"reason":"repair"}'],
      [`events.amazonaws.com ${TOPIC}`, '"terminated"'],
    ]);
  });

  it('does nothing while disabled', async () => {
    const { inputs, world, events } = await setUp({ State: 'DISABLED' });
    expect(await inputs()).toEqual([]);
    await call(world, events, 'EnableRule', { Name: 'nodes' });
    expect(await inputs()).toHaveLength(1);
  });

  it('fires on a schedule, without drifting', async () => {
    const { world, received } = await setUp({ EventPattern: undefined, ScheduleExpression: 'rate(1 minute)' });
    await world.clock.advance(5 * 60_000 + 30_000);
    expect(received).toHaveLength(5);
    expect(JSON.parse(received[4]!.input)).toMatchObject({
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      time: '2026-01-01T00:05:00Z',
      resources: [RULE_ARN],
      detail: {},
    });
  });

  it('stops with the embedded AWS', async () => {
    const { world, received, events } = await setUp({ ScheduleExpression: 'rate(1 minute)' });
    events.emit(STATE_CHANGE);
    events.close();
    await world.clock.advance(600_000);
    expect(received).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      'neither pattern nor schedule',
      { EventPattern: undefined },
      /EventPattern or ScheduleExpression must be specified/,
    ],
    ['a pattern that is not valid', { EventPattern: { source: 'x' } }, /must be an object or an array/],
    ['a schedule that is not valid', { ScheduleExpression: 'hourly' }, /ScheduleExpression is not valid/],
    [
      'a target that is not modelled',
      { Targets: [{ Id: 'Q', Arn: 'arn:aws:sqs:eu-west-3:1:q' }] },
      /does not model the target arn:aws:sqs/,
    ],
    ['a state machine without a role', { Targets: [{ Id: 'S', Arn: STATES }] }, /RoleArn is required/],
    ['two inputs', { Targets: [{ Id: 'T', Arn: LAMBDA, Input: '1', InputPath: '$' }] }, /Only one of Input/],
    ['an input that is not JSON', { Targets: [{ Id: 'T', Arn: LAMBDA, Input: '{' }] }, /JSON syntax error/],
    ['another bus', { EventBusName: 'mine' }, /EventBusName/],
    ['a property that is not modelled', { DeadLetter: 1 }, /does not model DeadLetter/],
  ])('refuses %s', async (_, properties, message) => {
    const { provision } = await setUp();
    expect((await refusal(Promise.resolve(provision(properties)))).message).toMatch(message);
  });
});

describe('what a target receives', () => {
  const transformed = async (InputTemplate: string, InputPathsMap: object = {}) => {
    const { events, received, world } = await setUp({
      Targets: [{ Id: 'T', Arn: LAMBDA, InputTransformer: { InputPathsMap, InputTemplate } }],
    });
    events.emit(STATE_CHANGE);
    await world.clock.advance(60_000);
    return received[0]!.input;
  };
  const paths = { id: '$.detail.instance-id', detail: '$.detail', first: '$.resources[0]', none: '$.detail.none' };

  it('can be put together from the event', async () => {
    expect(JSON.parse(await transformed('{"instance":<id>,"all":<detail>,"of":<first>,"none":<none>}', paths))).toEqual(
      {
        instance: 'i-1',
        all: STATE_CHANGE.detail,
        of: STATE_CHANGE.resources[0],
        none: null,
      },
    );
  });

  it('can be text with values in it', async () => {
    expect(await transformed('"instance <id> is <state> \\" <none>."', { ...paths, state: '$.detail.state' })).toBe(
      '"instance i-1 is terminated \\" ."',
    );
  });

  it('can name the rule and hold the whole event', async () => {
    expect(JSON.parse(await transformed('{"rule":"<aws.events.rule-name>","event":<aws.events.event>}'))).toMatchObject(
      {
        rule: 'nodes',
        event: { source: 'aws.ec2' },
      },
    );
  });

  it('keeps angle brackets that are nobody’s name', async () => {
    expect(await transformed('"a <b> c"')).toBe('"a <b> c"');
  });
});

describe('a delivery', () => {
  it('to a function without a permission fails and is told', async () => {
    const { inputs, permitted, world, events } = await setUp();
    permitted.clear();
    expect(await inputs()).toEqual([]);
    expect(events.counters).toMatchObject({ deliveries: 0, failedDeliveries: 1 });
    expect(world.lines).toContainEqual({
      message: 'EventBridge could not deliver an event',
      detail: expect.objectContaining({ rule: 'nodes', error: 'no resource-based policy allows it' }),
    });
  });

  it('is retried while the target is throttled', async () => {
    let failures = 3;
    const { inputs } = await setUp(
      {},
      {
        invoke: async () => {
          if (failures-- > 0) throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
          return { statusCode: 202, payload: '' };
        },
      },
    );
    expect(await inputs()).toHaveLength(1);
  });

  it('is retried no more often than its policy says', async () => {
    const { inputs, events } = await setUp(
      { Targets: [{ Id: 'T', Arn: LAMBDA, RetryPolicy: { MaximumRetryAttempts: 1 } }] },
      { invoke: async () => Promise.reject(new AwsError('ServiceException', 'no', 500)) },
    );
    expect(await inputs()).toEqual([]);
    expect(events.counters.failedDeliveries).toBe(1);
  });

  it.each<[string, number[], number]>([
    ['lost', [], 0],
    ['doubled', [0, 20_000], 2],
    ['late', [30_000], 1],
  ])('can be %s by a fault', async (_, plan, times) => {
    const { inputs, events, world, received } = await setUp();
    events.plan = ({ event }) => (event.source === 'aws.ec2' ? plan : [0]);
    const start = world.clock.now();
    expect(await inputs()).toHaveLength(times);
    for (const [index, { at }] of received.entries()) expect(at - start).toBeGreaterThan(plan[index]!);
  });
});

describe('PutEvents', () => {
  const entry = { Source: 'k3s.cluster', DetailType: 'Node Replaced', Detail: '{"cluster":"demo"}' };

  it('puts events on the bus', async () => {
    const { world, events } = await setUp();
    const seen: string[] = [];
    const remove = events.onEvent((event) => seen.push(event['detail-type']));
    expect(await call(world, events, 'PutEvents', { Entries: [entry] })).toEqual({
      FailedEntryCount: 0,
      Entries: [{ EventId: expect.any(String) }],
    });
    remove();
    await call(world, events, 'PutEvents', { Entries: [entry] });
    expect(seen).toEqual(['Node Replaced']);
  });

  it('refuses single entries', async () => {
    const { world, events } = await setUp();
    const answer = await call(world, events, 'PutEvents', {
      Entries: [
        entry,
        { ...entry, Source: undefined },
        { ...entry, Detail: '[]' },
        { ...entry, Source: 'aws.ec2' },
        { ...entry, EventBusName: 'mine' },
      ],
    });
    expect(answer).toMatchObject({
      FailedEntryCount: 4,
      Entries: [
        { EventId: expect.any(String) },
        { ErrorCode: 'InvalidArgument' },
        { ErrorCode: 'MalformedDetail' },
        { ErrorCode: 'NotAuthorizedForSourceException' },
        { ErrorCode: 'ResourceNotFoundException' },
      ],
    });
  });

  it('refuses more than 256 KB at once', async () => {
    const { world, events } = await setUp();
    const big = { ...entry, Detail: JSON.stringify({ text: 'x'.repeat(100_000) }) };
    expect(await refusal(call(world, events, 'PutEvents', { Entries: [big, big, big] }))).toMatchObject({
      code: 'ValidationException',
    });
  });

  it('serves SDK clients', async () => {
    const { world, events } = await setUp();
    const caller = world.credentials.issue('arn:aws:iam::123456789012:root');
    const client = new EventBridgeClient(clientConfig(world, createEndpoint(world, [events]), caller));
    const Entries = [{ ...entry, Time: new Date(Date.UTC(2026, 0, 1)) }];
    const answer = await sender(world.clock, caller)(() => client.send(new PutEventsCommand({ Entries })));
    expect(answer.FailedEntryCount).toBe(0);
  });
});

it('rules can be put, listed and described through the API', async () => {
  const { world, events, received } = await setUp();
  const EventPattern = '{"source":["k3s.cluster"]}';
  expect(await call(world, events, 'PutRule', { Name: 'own', EventPattern })).toEqual({
    RuleArn: 'arn:aws:events:eu-west-3:123456789012:rule/own',
  });
  await call(world, events, 'PutTargets', { Rule: 'own', Targets: [{ Id: 'T', Arn: TOPIC }] });
  events.emit({ ...STATE_CHANGE, source: 'k3s.cluster' });
  await world.clock.advance(60_000);
  expect(received).toHaveLength(1);
  expect(await call(world, events, 'ListRules', { NamePrefix: 'o' })).toMatchObject({
    Rules: [{ Name: 'own', EventPattern, State: 'ENABLED' }],
  });
  expect(await call(world, events, 'ListTargetsByRule', { Rule: 'own' })).toMatchObject({ Targets: [{ Id: 'T' }] });
  expect(await refusal(call(world, events, 'DescribeRule', { Name: 'none' }))).toMatchObject({
    code: 'ResourceNotFoundException',
    message: 'Rule none does not exist on EventBus default.',
  });
  const Event = JSON.stringify({ source: 'k3s.cluster' });
  expect(await call(world, events, 'TestEventPattern', { EventPattern, Event })).toEqual({ Result: true });
});
