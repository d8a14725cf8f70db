import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { Logs } from '../../../../local/aws/logs';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { call, refusal } from '../../../support/call';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

interface Answer {
  events: { message: string }[];
  nextForwardToken: string;
  nextBackwardToken: string;
}

async function setUp() {
  const world = testWorld();
  const logs = new Logs(world);
  const provision = (properties: object) => logs.resources['AWS::Logs::LogGroup']!('Group', { ...properties });
  const group = await provision({ LogGroupName: '/aws/lambda/f', RetentionInDays: 30 });
  const api = async (name: string, input: object) => (await call(world, logs, name, input)) as Answer;
  return { world, logs, provision, group, api };
}
const GROUP = '/aws/lambda/f';

describe('a log group', () => {
  it('is created from the template', async () => {
    const { group, api } = await setUp();
    const arn = 'arn:aws:logs:eu-west-3:123456789012:log-group:/aws/lambda/f';
    expect(group).toEqual({ ref: GROUP, attributes: { Arn: `${arn}:*` } });
    expect(await api('DescribeLogGroups', { logGroupNamePrefix: '/aws' })).toMatchObject({
      logGroups: [{ logGroupName: GROUP, arn: `${arn}:*`, retentionInDays: 30 }],
    });
  });

  it('cannot be created twice, nor with a retention that AWS does not offer', async () => {
    const { provision } = await setUp();
    const refused = async (properties: object) => refusal(Promise.resolve(provision(properties)));
    expect(await refused({ LogGroupName: GROUP })).toMatchObject({ code: 'ResourceAlreadyExistsException' });
    expect((await refused({ RetentionInDays: 2 })).message).toContain('RetentionInDays');
  });

  it('is made by whoever may, and otherwise loses the line', async () => {
    const { logs } = await setUp();
    logs.write('/other', 's', 'lost');
    logs.write('/lambda', 's', 'kept', { createGroup: true });
    expect(logs.lines('/other')).toEqual([]);
    expect(logs.lines('/lambda')).toMatchObject([{ stream: 's', message: 'kept' }]);
  });

  it('counts what is billed: the bytes of each line and 26 more', async () => {
    const { logs } = await setUp();
    logs.write(GROUP, 's', 'été');
    logs.write(GROUP, 's', '');
    expect(logs.ingestedBytes).toBe(5 + 26 + 26);
  });

  it('drops its oldest lines when there are too many', async () => {
    const { logs } = await setUp();
    for (let i = 0; i < 60_000; i++) logs.write(GROUP, 's', String(i));
    expect(logs.lines(GROUP).length).toBeLessThanOrEqual(55_000);
    expect(logs.lines(GROUP).at(-1)?.message).toBe('59999');
  });
});

describe('lines', () => {
  const filled = async () => {
    const set = await setUp();
    for (const [stream, message] of [
      ['a', 'launching server-0'],
      ['b', 'launched server-0'],
      ['a', 'ERROR: no capacity'],
    ] as const) {
      set.logs.write(GROUP, stream, message);
      await set.world.clock.advance(1000);
    }
    const filter = async (more: object) => {
      const { events } = await set.api('FilterLogEvents', { logGroupName: GROUP, ...more });
      return events.map(({ message }) => message);
    };
    return { ...set, filter };
  };

  it.each<[string, object, string[]]>([
    ['all', {}, ['launching server-0', 'launched server-0', 'ERROR: no capacity']],
    ['of a stream', { logStreamNames: ['b'] }, ['launched server-0']],
    ['with a word', { filterPattern: 'ERROR' }, ['ERROR: no capacity']],
    ['with two words', { filterPattern: 'server-0 launched' }, ['launched server-0']],
    ['with a phrase', { filterPattern: '"no capacity"' }, ['ERROR: no capacity']],
    ['without a word', { filterPattern: '-server-0' }, ['ERROR: no capacity']],
    ['with any of two words', { filterPattern: '?launched ?ERROR' }, ['launched server-0', 'ERROR: no capacity']],
    [
      'of a period',
      { startTime: Date.UTC(2026, 0, 1) + 1000, endTime: Date.UTC(2026, 0, 1) + 2000 },
      ['launched server-0'],
    ],
    ['up to a number', { limit: 1 }, ['launching server-0']],
  ])('can be found: %s', async (_, more, expected) => {
    expect(await (await filled()).filter(more)).toEqual(expected);
  });

  it('cannot be found by patterns that are not modelled', async () => {
    const { filter } = await filled();
    expect(await refusal(filter({ filterPattern: '{ $.level = "error" }' }))).toMatchObject({
      code: 'InvalidParameterException',
    });
  });

  it('can be read stream by stream, forwards and backwards', async () => {
    const { api } = await filled();
    const read = (more: object) => api('GetLogEvents', { logGroupName: GROUP, logStreamName: 'a', limit: 1, ...more });
    const first = await read({ startFromHead: true });
    expect(first.events[0]!.message).toBe('launching server-0');
    const second = await read({ nextToken: first.nextForwardToken });
    expect(second.events[0]!.message).toBe('ERROR: no capacity');
    const end = await read({ nextToken: second.nextForwardToken });
    expect(end).toMatchObject({ events: [], nextForwardToken: second.nextForwardToken });
    expect((await read({ nextToken: second.nextBackwardToken })).events[0]!.message).toBe('launching server-0');
    expect((await read({})).events[0]!.message).toBe('ERROR: no capacity');
  });

  it('of unknown groups and streams are refused', async () => {
    const { world, logs } = await filled();
    const unknown = { code: 'ResourceNotFoundException' };
    expect(await refusal(call(world, logs, 'FilterLogEvents', { logGroupName: 'x' }))).toMatchObject(unknown);
    const stream = { logGroupName: GROUP, logStreamName: 'x' };
    expect(await refusal(call(world, logs, 'GetLogEvents', stream))).toMatchObject(unknown);
  });

  it('come by streams, the last written first', async () => {
    const { api } = await filled();
    const order = { orderBy: 'LastEventTime', descending: true };
    expect(await api('DescribeLogStreams', { logGroupName: GROUP, ...order })).toMatchObject({
      logStreams: [{ logStreamName: 'a' }, { logStreamName: 'b' }],
    });
  });
});

it('SDK clients work with it', async () => {
  const { logs, world } = await setUp();
  logs.write(GROUP, 's', 'hello');
  const caller = world.credentials.issue('arn:aws:iam::123456789012:root');
  const client = new CloudWatchLogsClient(clientConfig(world, createEndpoint(world, [logs]), caller));
  const { events } = await sender(
    world.clock,
    caller,
  )(() => client.send(new FilterLogEventsCommand({ logGroupName: GROUP })));
  expect(events).toMatchObject([{ message: 'hello', timestamp: Date.UTC(2026, 0, 1) }]);
});
