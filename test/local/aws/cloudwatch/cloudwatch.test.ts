import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatch } from '../../../../local/aws/cloudwatch';
import type { ServiceEvent } from '../../../../local/aws/events/event';
import { AwsError } from '../../../../local/aws/service';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { call, refusal } from '../../../support/call';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

const TOPIC = 'arn:aws:sns:eu-west-3:123456789012:alerts';
const MINUTE = 60_000;

/** An alarm on a metric that has the given value (or none) in each minute. */
async function setUp(perMinute: (number | undefined)[] = [], properties: object = {}) {
  const world = testWorld();
  const events: ServiceEvent[] = [];
  const mails: { principal: string; topic: string; message: string; subject?: string }[] = [];
  const cloudwatch = new CloudWatch(world, {
    emit: (event) => events.push(event),
    sns: {
      publishAs: ({ name: principal }, topic, message, subject) => {
        if (topic !== TOPIC) throw new AwsError('NotFound', 'Topic does not exist', 404);
        mails.push({ principal, topic, message, subject });
      },
    },
  });
  const dimensions = { TargetGroup: 'targetgroup/api/1' };
  for (const [minute, value] of perMinute.entries()) {
    if (value === undefined) continue;
    world.clock.after((minute + 0.5) * MINUTE, () =>
      cloudwatch.record('AWS/NetworkELB', 'HealthyHostCount', dimensions, value),
    );
  }
  const provision = (more: object = {}) =>
    cloudwatch.resources['AWS::CloudWatch::Alarm']!('Alarm', {
      AlarmName: 'healthy',
      AlarmDescription: 'fewer than three healthy servers',
      Namespace: 'AWS/NetworkELB',
      MetricName: 'HealthyHostCount',
      Dimensions: [{ Name: 'TargetGroup', Value: 'targetgroup/api/1' }],
      Statistic: 'Minimum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 3,
      ComparisonOperator: 'LessThanThreshold',
      ...properties,
      ...more,
    });
  const provisioned = await provision();
  const api = async (name: string, input: object = {}) => await call(world, cloudwatch, name, input);
  const states = async (minutes: number) => {
    await world.clock.advance(minutes * MINUTE);
    return events.map(({ detail }) => (detail.state as { value: string }).value);
  };
  return { world, cloudwatch, events, mails, provision, provisioned, api, states };
}

describe('an alarm', () => {
  it('goes off when the metric crosses the threshold and comes back', async () => {
    const { states, provisioned } = await setUp([3, 3, 2, 2, 3]);
    expect(provisioned.attributes.Arn).toBe('arn:aws:cloudwatch:eu-west-3:123456789012:alarm:healthy');
    expect(await states(5)).toEqual(['OK', 'ALARM', 'OK']);
  });

  it('tells EventBridge in the documented shape', async () => {
    const { events, states } = await setUp([3, 2]);
    await states(2);
    expect(events[1]).toEqual({
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      resources: ['arn:aws:cloudwatch:eu-west-3:123456789012:alarm:healthy'],
      detail: {
        alarmName: 'healthy',
        configuration: {
          description: 'fewer than three healthy servers',
          metrics: [
            {
              id: expect.any(String),
              metricStat: {
                metric: {
                  namespace: 'AWS/NetworkELB',
                  name: 'HealthyHostCount',
                  dimensions: { TargetGroup: 'targetgroup/api/1' },
                },
                period: 60,
                stat: 'Minimum',
              },
              returnData: true,
            },
          ],
        },
        previousState: expect.objectContaining({ value: 'OK', timestamp: '2026-01-01T00:01:00.000+0000' }),
        state: {
          value: 'ALARM',
          reason:
            'Threshold Crossed: 1 out of the last 1 datapoints [2] was less than the threshold (3) (minimum 1 datapoint for OK -> ALARM transition).',
          reasonData: expect.stringContaining('"recentDatapoints":[2]'),
          timestamp: '2026-01-01T00:02:00.000+0000',
        },
      },
    });
  });

  it.each<[string, (number | undefined)[], object, string[]]>([
    [
      'needs M of N datapoints',
      [2, 3, 2, 3, 3, 3],
      { EvaluationPeriods: 3, DatapointsToAlarm: 2 },
      ['OK', 'ALARM', 'OK'],
    ],
    ['needs all N by default', [2, 2, 3, 2, 2, 2], { EvaluationPeriods: 3 }, ['OK', 'ALARM']],
    ['without data is insufficient', [3, undefined, 3], {}, ['OK', 'INSUFFICIENT_DATA', 'OK']],
    [
      'may take missing data for breaching',
      [3, undefined, 3],
      { TreatMissingData: 'breaching' },
      ['OK', 'ALARM', 'OK'],
    ],
    ['may take missing data for good', [2, undefined], { TreatMissingData: 'notBreaching' }, ['ALARM', 'OK']],
    ['may ignore missing data', [2, undefined, undefined], { TreatMissingData: 'ignore' }, ['ALARM']],
    ['compares greater or equal', [3], { ComparisonOperator: 'GreaterThanOrEqualToThreshold' }, ['ALARM']],
  ])('%s', async (_, perMinute, properties, expected) => {
    const { states } = await setUp(perMinute, properties);
    expect(await states(perMinute.length)).toEqual(expected);
  });

  it('publishes to its topics, with a subject', async () => {
    const { states, mails } = await setUp([2], { AlarmActions: [TOPIC] });
    await states(1);
    expect(mails).toMatchObject([
      { principal: 'cloudwatch.amazonaws.com', topic: TOPIC, subject: 'ALARM: "healthy" in eu-west-3' },
    ]);
    expect(JSON.parse(mails[0]!.message)).toMatchObject({
      AlarmName: 'healthy',
      NewStateValue: 'ALARM',
      OldStateValue: 'INSUFFICIENT_DATA',
      Trigger: { MetricName: 'HealthyHostCount', Threshold: 3 },
    });
  });

  it('says when an action fails, and goes on', async () => {
    const { states, mails, world } = await setUp([2], { AlarmActions: [`${TOPIC}x`, TOPIC] });
    await states(1);
    expect(mails).toHaveLength(1);
    expect(world.lines).toContainEqual(expect.objectContaining({ message: 'an alarm action failed' }));
  });

  it('does nothing with its actions disabled', async () => {
    const { states, mails } = await setUp([2], { AlarmActions: [TOPIC], ActionsEnabled: false });
    expect(await states(1)).toEqual(['ALARM']);
    expect(mails).toEqual([]);
  });

  it('stops with the embedded AWS', async () => {
    const { cloudwatch, states } = await setUp([2]);
    cloudwatch.close();
    expect(await states(3)).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ['metric maths', { Metrics: [] }, /does not model Metrics/],
    ['a period that is none', { Period: 45 }, /Period/],
    ['more datapoints than periods', { DatapointsToAlarm: 2 }, /must not be greater than EvaluationPeriods/],
    ['an unknown comparison', { ComparisonOperator: 'Less' }, /ComparisonOperator/],
  ])('refuses %s', async (_, properties, message) => {
    const { provision } = await setUp();
    expect((await refusal(Promise.resolve(provision(properties)))).message).toMatch(message);
  });
});

describe('metrics of one’s own', () => {
  const OWN = { Namespace: 'k3s', MetricName: 'ReplaceSeconds', Dimensions: [{ Name: 'Cluster', Value: 'demo' }] };

  it('can set off an alarm', async () => {
    const { api, states } = await setUp([], {
      ...OWN,
      Statistic: 'Average',
      Threshold: 50,
      ComparisonOperator: 'GreaterThanThreshold',
    });
    const { Namespace, ...metric } = OWN;
    await api('PutMetricData', {
      Namespace,
      MetricData: [
        { ...metric, Value: 10 },
        { ...metric, Value: 110 },
      ],
    });
    expect(await states(1)).toEqual(['ALARM']);
  });

  it('cannot have a name of AWS', async () => {
    const { world, cloudwatch } = await setUp();
    const input = { Namespace: 'AWS/EC2', MetricData: [{ MetricName: 'x', Value: 1 }] };
    expect(await refusal(call(world, cloudwatch, 'PutMetricData', input))).toMatchObject({
      code: 'InvalidParameterValue',
    });
  });
});

describe('the API', () => {
  it('describes alarms', async () => {
    const { api, states } = await setUp([2]);
    await states(1);
    expect(await api('DescribeAlarms', { AlarmNames: ['healthy'], StateValue: 'ALARM' })).toMatchObject({
      MetricAlarms: [
        { AlarmName: 'healthy', StateValue: 'ALARM', Threshold: 3, StateUpdatedTimestamp: expect.any(Date) },
      ],
    });
    expect(await api('DescribeAlarms', { StateValue: 'OK' })).toMatchObject({ MetricAlarms: [] });
  });

  it('sets an alarm’s state by hand', async () => {
    const { api, events } = await setUp();
    await api('SetAlarmState', { AlarmName: 'healthy', StateValue: 'ALARM', StateReason: 'drill' });
    expect(events[0]!.detail.state).toMatchObject({ value: 'ALARM', reason: 'drill' });
  });

  it('keeps dashboards', async () => {
    const { api, cloudwatch } = await setUp();
    const dashboard = cloudwatch.resources['AWS::CloudWatch::Dashboard']!;
    await dashboard('D', { DashboardName: 'demo', DashboardBody: '{"widgets":[]}' });
    expect(await api('GetDashboard', { DashboardName: 'demo' })).toMatchObject({ DashboardBody: '{"widgets":[]}' });
    expect(await api('ListDashboards')).toMatchObject({ DashboardEntries: [{ DashboardName: 'demo' }] });
    expect(await refusal(Promise.resolve(dashboard('D', { DashboardBody: '{' })))).toMatchObject({
      code: 'InvalidParameterInput',
    });
  });

  it('serves SDK clients', async () => {
    const { cloudwatch, world } = await setUp();
    const caller = world.credentials.issue('arn:aws:iam::123456789012:root');
    const client = new CloudWatchClient(clientConfig(world, createEndpoint(world, [cloudwatch]), caller));
    const send = sender(world.clock, caller);
    const MetricData = [{ MetricName: 'x', Value: 1, Timestamp: new Date() }];
    await send(() => client.send(new PutMetricDataCommand({ Namespace: 'k3s', MetricData })));
    const { MetricAlarms } = await send(() => client.send(new DescribeAlarmsCommand({})));
    expect(MetricAlarms).toMatchObject([{ AlarmName: 'healthy', StateUpdatedTimestamp: expect.any(Date) }]);
  });
});
