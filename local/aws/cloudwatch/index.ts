/**
 * CloudWatch: metrics, metric alarms and dashboards.
 * Not modelled, and therefore refused: composite alarms, metric maths, anomaly detection, percentiles, reading metrics.
 * The JavaScript SDK speaks JSON 1.0 with it, the AWS CLI Smithy RPC with CBOR: `local/wire` serves both.
 */
import { z } from 'zod';
import type { Timer } from '../../clock';
import { arnOf } from '../arn';
import type { Emit } from '../events/event';
import type { ServiceCaller } from '../iam/authority';
import { page } from '../paging';
import { provision } from '../properties';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import { ALARM, type Alarm, type AlarmSettings, type AlarmState, evaluate, notification, stateChange } from './alarm';
import { type Dimensions, Metrics } from './metrics';

/** Alarms with periods of a minute or more are evaluated once a minute, shorter ones every ten seconds. */
const EVALUATION_MS = { normal: 60_000, highResolution: 10_000 };

const PRINCIPAL = 'cloudwatch.amazonaws.com';

const DASHBOARD = z.strictObject({ DashboardName: z.string().min(1).max(255).optional(), DashboardBody: z.string() });

const STATE = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
const DIMENSIONS = z
  .array(z.strictObject({ Name: z.string(), Value: z.string() }))
  .max(30)
  .default([]);
const TIME = z.union([z.date(), z.number().transform((seconds) => new Date(seconds * 1000))]);
const DATUM = z.strictObject({
  MetricName: z.string().min(1),
  Dimensions: DIMENSIONS,
  Timestamp: TIME.optional(),
  Value: z.number().optional(),
  Values: z.array(z.number()).optional(),
  Counts: z.array(z.number()).optional(),
  StatisticValues: z
    .strictObject({ SampleCount: z.number(), Sum: z.number(), Minimum: z.number(), Maximum: z.number() })
    .optional(),
  Unit: z.string().optional(),
  StorageResolution: z.int().optional(),
});

export interface CloudWatchDependencies {
  emit: Emit;
  sns: { publishAs(service: ServiceCaller, topicArn: string, message: string, subject?: string): void };
}

export class CloudWatch implements Service {
  readonly name = 'monitoring';
  readonly actionPrefix = 'cloudwatch';
  readonly protocol = 'json-1.0';
  readonly version = 'GraniteServiceVersion20100801';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly alarms = new Map<string, Alarm>();
  private readonly dashboards = new Map<string, string>();
  private readonly metrics = new Metrics();
  private readonly timers: Timer[] = [];
  private readonly random;

  constructor(
    private readonly world: World,
    private readonly dependencies: CloudWatchDependencies,
  ) {
    this.random = world.random.fork('cloudwatch');
    this.resources = {
      'AWS::CloudWatch::Alarm': provision('AWS::CloudWatch::Alarm', ALARM, (properties, logicalId) =>
        this.create(logicalId, properties),
      ),
      'AWS::CloudWatch::Dashboard': provision('AWS::CloudWatch::Dashboard', DASHBOARD, (properties, logicalId) =>
        this.createDashboard(logicalId, properties),
      ),
    };
    this.operations = { ...this.alarmOperations(), ...this.metricOperations(), ...this.dashboardOperations() };
  }

  /** A value that another service reports now, `HealthyHostCount` of `AWS/NetworkELB` for example. */
  record(namespace: string, name: string, dimensions: Dimensions, value: number): void {
    const at = this.world.clock.now();
    this.metrics.put(namespace, name, dimensions, { at, sum: value, count: 1, minimum: value, maximum: value });
  }

  close(): void {
    for (const timer of this.timers) timer.cancel();
  }

  private create(logicalId: string, settings: AlarmSettings): Provisioned {
    const { clock } = this.world;
    const name = settings.AlarmName ?? `${logicalId}-${this.random.hex(12)}`;
    const alarm: Alarm = {
      name,
      arn: this.alarmArn(name),
      settings,
      metricId: this.random.uuid(),
      state: {
        value: 'INSUFFICIENT_DATA',
        reason: 'Unchecked: Initial alarm creation',
        reasonData: '{}',
        at: clock.now(),
      },
    };
    this.alarms.set(name, alarm);
    const interval = settings.Period >= 60 ? EVALUATION_MS.normal : EVALUATION_MS.highResolution;
    this.timers.push(
      clock.every(interval, () => {
        const state = evaluate(alarm, this.metrics, clock.now());
        if (state) this.enter(alarm, state);
      }),
    );
    return { ref: name, attributes: { Arn: alarm.arn } };
  }

  /** Puts the alarm into a state, tells EventBridge, and carries out the state's actions. */
  private enter(alarm: Alarm, state: AlarmState): void {
    const previous = alarm.state;
    alarm.state = state;
    if (previous.value === state.value) return;
    this.dependencies.emit(stateChange(alarm, previous));
    const { settings, name } = alarm;
    if (!settings.ActionsEnabled) return;
    const actions = {
      ALARM: settings.AlarmActions,
      OK: settings.OKActions,
      INSUFFICIENT_DATA: settings.InsufficientDataActions,
    }[state.value];
    const { account, region } = this.world;
    const subject = `${state.value}: "${name}" in ${region}`.slice(0, 100);
    for (const action of actions) {
      try {
        const service = { name: PRINCIPAL, sourceArn: alarm.arn };
        this.dependencies.sns.publishAs(service, action, notification(alarm, previous, account, region), subject);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        this.world.log('an alarm action failed', { alarm: name, action, error: error.message });
      }
    }
  }

  private createDashboard(logicalId: string, { DashboardName, DashboardBody }: z.infer<typeof DASHBOARD>): Provisioned {
    try {
      JSON.parse(DashboardBody);
    } catch {
      throw new AwsError('InvalidParameterInput', 'The field DashboardBody must be a valid JSON object');
    }
    const name = DashboardName ?? `${logicalId}-${this.random.hex(12)}`;
    this.dashboards.set(name, DashboardBody);
    return { ref: name, attributes: {} };
  }

  private alarmArn(name: string): string {
    return arnOf(this.world, 'cloudwatch', `alarm:${name}`);
  }

  private alarmOperations(): Record<string, Operation> {
    return {
      DescribeAlarms: operation({
        input: z.strictObject({
          AlarmNames: z.array(z.string()).max(100).optional(),
          AlarmNamePrefix: z.string().default(''),
          AlarmTypes: z.array(z.enum(['MetricAlarm', 'CompositeAlarm'])).optional(),
          StateValue: STATE.optional(),
          MaxRecords: z.int().min(1).max(100).default(50),
          NextToken: z.string().optional(),
        }),
        needs: () => [{ action: 'cloudwatch:DescribeAlarms', resource: this.alarmArn('*') }],
        handle: ({ AlarmNames, AlarmNamePrefix, AlarmTypes, StateValue, MaxRecords, NextToken }) => {
          const wanted = AlarmTypes?.includes('MetricAlarm') ?? true;
          const all = [...this.alarms.values()].filter(
            ({ name, state }) =>
              wanted &&
              (AlarmNames?.includes(name) ?? true) &&
              name.startsWith(AlarmNamePrefix) &&
              (StateValue ?? state.value) === state.value,
          );
          const refuse = () => new AwsError('InvalidNextToken', 'The next token specified is invalid.');
          const { items, nextToken } = page(all, MaxRecords, NextToken, refuse);
          return { MetricAlarms: items.map(describe), CompositeAlarms: [], NextToken: nextToken };
        },
      }),
      SetAlarmState: operation({
        input: z.strictObject({
          AlarmName: z.string(),
          StateValue: STATE,
          StateReason: z.string().max(1023),
          StateReasonData: z.string().max(4000).default('{}'),
        }),
        needs: ({ AlarmName }) => [{ action: 'cloudwatch:SetAlarmState', resource: this.alarmArn(AlarmName) }],
        handle: ({ AlarmName, StateValue, StateReason, StateReasonData }) => {
          const alarm = this.alarms.get(AlarmName);
          if (!alarm) throw new AwsError('ResourceNotFound', `${AlarmName} does not exist`, 404);
          const at = this.world.clock.now();
          this.enter(alarm, { value: StateValue, reason: StateReason, reasonData: StateReasonData, at });
          return {};
        },
      }),
    };
  }

  private dashboardOperations(): Record<string, Operation> {
    const arn = (name: string) => `arn:aws:cloudwatch::${this.world.account}:dashboard/${name}`;
    return {
      ListDashboards: operation({
        input: z.strictObject({ DashboardNamePrefix: z.string().default('') }),
        handle: ({ DashboardNamePrefix }) => ({
          DashboardEntries: [...this.dashboards]
            .filter(([name]) => name.startsWith(DashboardNamePrefix))
            .map(([name, body]) => ({
              DashboardName: name,
              DashboardArn: arn(name),
              Size: Buffer.byteLength(body),
            })),
        }),
      }),
      GetDashboard: operation({
        input: z.strictObject({ DashboardName: z.string() }),
        needs: ({ DashboardName }) => [{ action: 'cloudwatch:GetDashboard', resource: arn(DashboardName) }],
        handle: ({ DashboardName }) => {
          const body = this.dashboards.get(DashboardName);
          if (body === undefined)
            throw new AwsError('ResourceNotFound', `Dashboard ${DashboardName} does not exist`, 404);
          return { DashboardName, DashboardArn: arn(DashboardName), DashboardBody: body };
        },
      }),
    };
  }

  private metricOperations(): Record<string, Operation> {
    return {
      PutMetricData: operation({
        input: z.strictObject({
          Namespace: z.string().min(1).max(255),
          MetricData: z.array(DATUM).min(1).max(1000),
          StrictEntityValidation: z.boolean().optional(),
        }),
        needs: ({ Namespace }) => [
          { action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': Namespace } },
        ],
        handle: ({ Namespace, MetricData }) => {
          if (Namespace.startsWith('AWS/'))
            throw new AwsError('InvalidParameterValue', 'The value AWS/ for parameter Namespace is invalid.');
          for (const datum of MetricData) {
            const dimensions = Object.fromEntries(datum.Dimensions.map(({ Name, Value }) => [Name, Value]));
            const at = datum.Timestamp?.getTime() ?? this.world.clock.now();
            this.metrics.put(Namespace, datum.MetricName, dimensions, { at, ...summary(datum) });
          }
          return {};
        },
      }),
    };
  }
}

function summary({ MetricName, Value, Values, Counts, StatisticValues }: z.infer<typeof DATUM>) {
  if (StatisticValues) {
    const { SampleCount, Sum, Minimum, Maximum } = StatisticValues;
    return { sum: Sum, count: SampleCount, minimum: Minimum, maximum: Maximum };
  }
  const values = Values ?? (Value === undefined ? [] : [Value]);
  if (values.length === 0)
    throw new AwsError(
      'MissingParameter',
      `At least one of Value, Values and StatisticValues is needed for ${MetricName}.`,
    );
  const count = (index: number) => Counts?.[index] ?? 1;
  return {
    sum: values.reduce((sum, value, index) => sum + value * count(index), 0),
    count: values.reduce((sum, _, index) => sum + count(index), 0),
    minimum: Math.min(...values),
    maximum: Math.max(...values),
  };
}

function describe({ name, arn, settings, state }: Alarm): Record<string, unknown> {
  const { Tags: _tags, AlarmName: _name, ...members } = settings;
  return {
    AlarmName: name,
    AlarmArn: arn,
    ...members,
    StateValue: state.value,
    StateReason: state.reason,
    StateReasonData: state.reasonData,
    StateUpdatedTimestamp: new Date(state.at),
    StateTransitionedTimestamp: new Date(state.at),
  };
}
