import { Aws, Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Config } from '../config';
import type { Names } from '../names';
import { type Alarms, healthyHosts } from './alarms';
import type { Functions } from './functions';
import type { LoadBalancer } from './load-balancer';
import type { StepName } from './steps';
import type { Workflow } from './workflow';

export interface DashboardProps {
  readonly config: Config;
  readonly names: Names;
  readonly loadBalancer: LoadBalancer;
  readonly functions: Functions;
  readonly workflow: Workflow;
  readonly alarms: Alarms;
}

const FULL = 24;
const HALF = 12;
const HEIGHT = 6;

/**
 * One page that answers: how many servers receive traffic, what was replaced, what the workflow did, and what the
 * self-healer decided and why.
 *
 * Three dashboards of an account are free, each further one costs $3 a month. The tables are Logs Insights queries over
 * the functions' own logs ($0.005 per GB looked through, each time the page is opened): counts by reason need no metrics
 * of our own, which would cost $0.30 a month for each reason.
 */
export class Dashboard extends Construct {
  readonly url: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: DashboardProps,
  ) {
    super(scope, id);
    const { names, alarms } = props;
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: names.dashboard,
      defaultInterval: Duration.hours(24),
      widgets: [
        [
          new cloudwatch.AlarmStatusWidget({
            title: 'Alarms',
            alarms: [...alarms.healthyHosts, ...alarms.watchdogs],
            width: FULL,
            height: 3,
          }),
        ],
        [this.healthyHosts(), this.executions()],
        [
          this.table('Replacements', 'publish-event', [
            'filter message = "published event" and detailType = "Node Replaced"',
            'fields @timestamp, incident',
            'sort @timestamp desc',
          ]),
          this.table('Events by type', 'publish-event', [
            'filter message = "published event"',
            'stats count(*) as events by detailType',
          ]),
        ],
        [
          this.table('Decisions of the check of every minute', 'handle-node-event', [
            'filter message = "decided"',
            'stats count(*) as times, latest(reason) as last by decision, code',
            'sort times desc',
          ]),
          this.table('Verdicts of the workflow', 'assess-cluster', [
            'filter message = "assessed cluster"',
            'stats count(*) as times by verdict, reason',
            'sort times desc',
          ]),
        ],
        [this.functionsThatHeal()],
      ],
    });
    this.url = `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${names.dashboard}`;
  }

  private healthyHosts(): cloudwatch.IWidget {
    const { loadBalancer, config } = this.props;
    return new cloudwatch.GraphWidget({
      title: 'Servers that receive traffic',
      left: (['http', 'https', 'api'] as const).map((stem) => healthyHosts(loadBalancer, stem).with({ label: stem })),
      leftAnnotations: [{ value: config.servers, label: 'wanted' }],
      leftYAxis: { min: 0, max: config.servers + 1, showUnits: false },
      width: HALF,
      height: HEIGHT,
    });
  }

  private executions(): cloudwatch.IWidget {
    const { cluster } = this.props.workflow;
    const counted = { period: Duration.minutes(5), statistic: cloudwatch.Stats.SUM };
    return new cloudwatch.GraphWidget({
      title: 'Executions of the workflow',
      left: [
        cluster.metricStarted({ ...counted, label: 'started' }),
        cluster.metricSucceeded({ ...counted, label: 'succeeded' }),
        cluster.metricFailed({ ...counted, label: 'failed' }),
        cluster.metricTimedOut({ ...counted, label: 'timed out' }),
        cluster.metricAborted({ ...counted, label: 'aborted' }),
      ],
      leftYAxis: { min: 0, showUnits: false },
      width: HALF,
      height: HEIGHT,
    });
  }

  private functionsThatHeal(): cloudwatch.IWidget {
    const { functions } = this.props;
    const healer = functions.get('handle-node-event');
    const period = Duration.minutes(5);
    return new cloudwatch.GraphWidget({
      title: 'The self-healer itself',
      left: [healer.metricInvocations({ period, label: 'checks' })],
      right: [
        healer.metricErrors({ period, label: 'failed checks' }),
        functions.get('notify').metricErrors({ period, label: 'failed alerts' }),
      ],
      leftYAxis: { min: 0, showUnits: false },
      rightYAxis: { min: 0, showUnits: false },
      width: FULL,
      height: HEIGHT,
    });
  }

  private table(title: string, step: StepName, queryLines: string[]): cloudwatch.IWidget {
    return new cloudwatch.LogQueryWidget({
      title,
      view: cloudwatch.LogQueryVisualizationType.TABLE,
      logGroupNames: [this.props.functions.get(step).logGroup.logGroupName],
      queryLines,
      width: HALF,
      height: HEIGHT,
    });
  }
}
