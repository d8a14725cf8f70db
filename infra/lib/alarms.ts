import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Config } from '../config';
import type { Names } from '../names';
import type { Functions } from './functions';
import type { LoadBalancer, TargetGroupStem } from './load-balancer';

export interface AlarmsProps {
  readonly config: Config;
  readonly names: Names;
  readonly loadBalancer: LoadBalancer;
  readonly functions: Functions;
}

const STEMS: readonly TargetGroupStem[] = ['http', 'https', 'api'];

/**
 * The alarms, all of which act through EventBridge (events.ts): none has an action of its own.
 *
 * Each costs $0.10 a month beyond the ten that are free in an account. https://aws.amazon.com/cloudwatch/pricing/
 */
export class Alarms extends Construct {
  /** Hints to the self-healer: a server does not receive its share of the traffic. */
  readonly healthyHosts: readonly cloudwatch.Alarm[];
  /** For people: the self-healer itself, or who would tell them, is in trouble. */
  readonly watchdogs: readonly cloudwatch.Alarm[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
  ) {
    super(scope, id);
    this.healthyHosts = STEMS.map((stem) => this.healthyHostsOf(stem));
    const healer = this.props.functions.get('handle-node-event');
    const notify = this.props.functions.get('notify');
    const period = Duration.minutes(5);
    this.watchdogs = [
      this.alarm('ScheduleSilent', 'schedule-silent', {
        alarmDescription: 'The check of every minute has not run for ten minutes: nothing is healed',
        metric: healer.metricInvocations({ period }),
        comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        threshold: 1,
        evaluationPeriods: 2,
        // A function that is never invoked reports nothing at all.
        treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      }),
      this.alarm('HealerFailing', 'healer-failing', {
        alarmDescription: 'The check of every minute fails again and again: failures are not healed',
        metric: healer.metricErrors({ period }),
        // One may be a malformed event; the next minute's check makes good for it.
        threshold: 3,
      }),
      this.alarm('NotifyFailing', 'notify-failing', {
        alarmDescription: 'An alert could not be sent at once; Lambda tries it twice more',
        metric: notify.metricErrors({ period }),
        threshold: 1,
      }),
    ];
  }

  /**
   * With a threshold of the server count, a target that ended and is `unused` counts as well as one that is unhealthy.
   * Without any target there is no data at all, as before the cluster was created: the self-healer knows the difference.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
   */
  private healthyHostsOf(stem: TargetGroupStem): cloudwatch.Alarm {
    const { loadBalancer, config } = this.props;
    return this.alarm(`HealthyHosts${stem.charAt(0).toUpperCase()}${stem.slice(1)}`, `healthy-hosts-${stem}`, {
      alarmDescription: `Fewer than ${config.servers} servers receive ${stem} traffic`,
      metric: healthyHosts(loadBalancer, stem),
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: config.servers,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
  }

  private alarm(
    id: string,
    name: string,
    props: Pick<cloudwatch.AlarmProps, 'alarmDescription' | 'metric' | 'threshold'> & Partial<cloudwatch.AlarmProps>,
  ): cloudwatch.Alarm {
    return new cloudwatch.Alarm(this, id, {
      alarmName: this.props.names.alarm(name),
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...props,
    });
  }
}

/** How many servers a target group sends traffic to, at the worst moment of each minute. */
export function healthyHosts(loadBalancer: LoadBalancer, stem: TargetGroupStem): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/NetworkELB',
    metricName: 'HealthyHostCount',
    dimensionsMap: {
      LoadBalancer: loadBalancer.fullName,
      TargetGroup: loadBalancer.targetGroupFullNames[stem],
    },
    statistic: cloudwatch.Stats.MINIMUM,
    period: Duration.minutes(1),
  });
}
