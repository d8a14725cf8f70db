/**
 * Metric alarms: when one is in which state.
 * Source: CloudWatch User Guide, "Using Amazon CloudWatch alarms", "Configuring how alarms treat missing data".
 */
import { z } from 'zod';
import type { ServiceEvent } from '../events/event';
import { BOOLEAN, INTEGER } from '../scalars';
import type { Dimensions, Metrics, Statistic } from './metrics';

const NUMBER = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
]);
const ACTIONS = z.array(z.string()).max(5).default([]);

export const ALARM = z
  .strictObject({
    AlarmName: z.string().min(1).max(255).optional(),
    AlarmDescription: z.string().max(1024).optional(),
    ActionsEnabled: BOOLEAN.default(true),
    AlarmActions: ACTIONS,
    OKActions: ACTIONS,
    InsufficientDataActions: ACTIONS,
    Namespace: z.string().min(1),
    MetricName: z.string().min(1),
    Dimensions: z
      .array(z.strictObject({ Name: z.string(), Value: z.string() }))
      .max(30)
      .default([]),
    Statistic: z.enum(['Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount']),
    Period: INTEGER.refine((seconds) => [10, 20, 30].includes(seconds) || seconds % 60 === 0, 'is not a period').pipe(
      z.int().min(10),
    ),
    EvaluationPeriods: INTEGER.pipe(z.int().min(1)),
    DatapointsToAlarm: INTEGER.pipe(z.int().min(1)).optional(),
    Threshold: NUMBER,
    ComparisonOperator: z.enum([
      'GreaterThanOrEqualToThreshold',
      'GreaterThanThreshold',
      'LessThanThreshold',
      'LessThanOrEqualToThreshold',
    ]),
    TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']).default('missing'),
    Unit: z.string().optional(),
    Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
  })
  .refine(
    ({ DatapointsToAlarm, EvaluationPeriods }) => (DatapointsToAlarm ?? 1) <= EvaluationPeriods,
    'DatapointsToAlarm must not be greater than EvaluationPeriods',
  );
export type AlarmSettings = z.infer<typeof ALARM>;

export type AlarmValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface AlarmState {
  value: AlarmValue;
  reason: string;
  /** JSON text. */
  reasonData: string;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface Alarm {
  name: string;
  arn: string;
  settings: AlarmSettings;
  /** Identifies the metric in state-change events. */
  metricId: string;
  state: AlarmState;
}

export const dimensionsOf = ({ Dimensions }: AlarmSettings): Dimensions =>
  Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));

const COMPARE: Record<
  AlarmSettings['ComparisonOperator'],
  [holds: (value: number, bound: number) => boolean, text: string]
> = {
  GreaterThanOrEqualToThreshold: [(value, bound) => value >= bound, 'greater than or equal to'],
  GreaterThanThreshold: [(value, bound) => value > bound, 'greater than'],
  LessThanThreshold: [(value, bound) => value < bound, 'less than'],
  LessThanOrEqualToThreshold: [(value, bound) => value <= bound, 'less than or equal to'],
};

/** The alarm's state at `now`, from its last whole periods; undefined when it keeps the one it has. */
export function evaluate(alarm: Alarm, metrics: Metrics, now: number): AlarmState | undefined {
  const { settings } = alarm;
  const period = settings.Period * 1000;
  const end = Math.floor(now / period) * period;
  const needed = settings.DatapointsToAlarm ?? settings.EvaluationPeriods;
  const values = Array.from({ length: settings.EvaluationPeriods }, (_, back) => {
    const to = end - back * period;
    const within = { start: to - period, end: to };
    return metrics.value(settings.Namespace, settings.MetricName, dimensionsOf(settings), settings.Statistic, within);
  });
  const present = values.filter((value) => value !== undefined);
  const missing = values.length - present.length;
  const [holds] = COMPARE[settings.ComparisonOperator];
  const breaching =
    present.filter((value) => holds(value, settings.Threshold)).length +
    (settings.TreatMissingData === 'breaching' ? missing : 0);

  if (present.length === 0 && settings.TreatMissingData === 'ignore') return undefined;
  const value: AlarmValue =
    present.length === 0 && settings.TreatMissingData === 'missing'
      ? 'INSUFFICIENT_DATA'
      : breaching >= needed
        ? 'ALARM'
        : 'OK';
  if (value === alarm.state.value) return undefined;
  return {
    value,
    reason: reasonFor(value, alarm.state.value, settings, present, missing, needed),
    reasonData: JSON.stringify({
      version: '1.0',
      queryDate: timestamp(now),
      startDate: timestamp(end - settings.EvaluationPeriods * period),
      statistic: settings.Statistic,
      period: settings.Period,
      recentDatapoints: present,
      threshold: settings.Threshold,
    }),
    at: now,
  };
}

function reasonFor(
  value: AlarmValue,
  before: AlarmValue,
  settings: AlarmSettings,
  present: number[],
  missing: number,
  needed: number,
): string {
  if (value === 'INSUFFICIENT_DATA') return 'Insufficient Data: no datapoints were received.';
  const count = settings.EvaluationPeriods;
  const [, comparison] = COMPARE[settings.ComparisonOperator];
  const transition = `(minimum ${needed} datapoint${needed === 1 ? '' : 's'} for ${before} -> ${value} transition)`;
  if (present.length === 0) {
    const treated = settings.TreatMissingData === 'breaching' ? '[Breaching]' : '[NonBreaching]';
    return `Threshold Crossed: no datapoints were received for ${count} period${count === 1 ? '' : 's'} and ${missing} missing datapoint${missing === 1 ? ' was' : 's were'} treated as ${treated}.`;
  }
  const not = value === 'ALARM' ? '' : 'not ';
  return `Threshold Crossed: ${present.length} out of the last ${count} datapoints [${present.join(', ')}] ${present.length === 1 ? 'was' : 'were'} ${not}${comparison} the threshold (${settings.Threshold}) ${transition}.`;
}

/** `2019-10-02T17:04:40.989+0000`, as CloudWatch writes times in events. */
const timestamp = (ms: number) => new Date(ms).toISOString().replace('Z', '+0000');

const stateOf = ({ value, reason, reasonData, at }: AlarmState) => ({
  value,
  reason,
  reasonData,
  timestamp: timestamp(at),
});

/**
 * `CloudWatch Alarm State Change`.
 * Source: CloudWatch User Guide, "Alarm events and EventBridge".
 */
export function stateChange(alarm: Alarm, previous: AlarmState): ServiceEvent {
  const { settings } = alarm;
  return {
    source: 'aws.cloudwatch',
    detailType: 'CloudWatch Alarm State Change',
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      state: stateOf(alarm.state),
      previousState: stateOf(previous),
      configuration: {
        ...(settings.AlarmDescription === undefined ? {} : { description: settings.AlarmDescription }),
        metrics: [
          {
            id: alarm.metricId,
            metricStat: {
              metric: {
                namespace: settings.Namespace,
                name: settings.MetricName,
                dimensions: dimensionsOf(settings),
              },
              period: settings.Period,
              stat: settings.Statistic satisfies Statistic,
            },
            returnData: true,
          },
        ],
      },
    },
  };
}

/** The message that an alarm's SNS action publishes. */
export function notification(alarm: Alarm, previous: AlarmState, account: string, region: string): string {
  const { settings, state } = alarm;
  return JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: settings.AlarmDescription ?? null,
    AWSAccountId: account,
    NewStateValue: state.value,
    NewStateReason: state.reason,
    StateChangeTime: timestamp(state.at),
    Region: region,
    AlarmArn: alarm.arn,
    OldStateValue: previous.value,
    OKActions: settings.OKActions,
    AlarmActions: settings.AlarmActions,
    InsufficientDataActions: settings.InsufficientDataActions,
    Trigger: {
      MetricName: settings.MetricName,
      Namespace: settings.Namespace,
      StatisticType: 'Statistic',
      Statistic: settings.Statistic.toUpperCase(),
      Unit: settings.Unit ?? null,
      Dimensions: settings.Dimensions.map(({ Name, Value }) => ({ name: Name, value: Value })),
      Period: settings.Period,
      EvaluationPeriods: settings.EvaluationPeriods,
      ComparisonOperator: settings.ComparisonOperator,
      Threshold: settings.Threshold,
      TreatMissingData: settings.TreatMissingData,
    },
  });
}
