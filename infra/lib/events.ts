import { Aws } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type DetailType, SOURCE } from '../../functions/events';
import type { Config } from '../config';
import { type Names, pascal } from '../names';
import type { Alarms } from './alarms';
import type { Alerts } from './alerts';
import type { Functions } from './functions';
import type { Workflow } from './workflow';

export interface EventsProps {
  readonly config: Config;
  readonly names: Names;
  readonly functions: Functions;
  readonly workflow: Workflow;
  readonly alarms: Alarms;
  readonly alerts: Alerts;
}

/** What becomes mail. The others tell that something is going on: its outcome becomes mail. */
const TOLD: readonly DetailType[] = [
  'Replacement Deferred',
  'Node Replaced',
  'Cluster Ready',
  'Cluster Degraded',
  'Converge Failed',
];

/** A hint is stale after a minute: the schedule has looked again by then. */
const HINT = { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 3 };
/** An alert is worth sending late: EventBridge's own limits, a day. */
const ALERT = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/**
 * The rules on the account's default event bus: hints to the self-healer, and what people are told.
 *
 * Events of AWS services are free; our own cost $1 per million. The check of every minute invokes a function 43,800 times
 * a month, well within Lambda's free million (about $0.15 beyond). https://aws.amazon.com/eventbridge/pricing/
 */
export class Events extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: EventsProps,
  ) {
    super(scope, id);
    this.hints();
    this.alerts();
  }

  private hints(): void {
    const { functions, alarms } = this.props;
    const healer = functions.get('handle-node-event');
    const hint = (name: string, description: string, on: On) => this.rule(name, description, on, healer, HINT);

    hint('instance-state', 'An instance of the account ends or stops', {
      eventPattern: {
        source: ['aws.ec2'],
        'detail-type': ['EC2 Instance State-change Notification'],
        detail: { state: ['stopping', 'stopped', 'shutting-down', 'terminated'] },
      },
    });
    hint('spot-interruption', 'EC2 is going to take back a spot instance', {
      eventPattern: { source: ['aws.ec2'], 'detail-type': ['EC2 Spot Instance Interruption Warning'] },
    });
    hint('health', 'AWS Health has something to say about instances or load balancers', {
      eventPattern: {
        source: ['aws.health'],
        'detail-type': ['AWS Health Event'],
        detail: { service: ['EC2', 'ELASTICLOADBALANCING'] },
      },
    });
    hint('healthy-hosts', 'Fewer servers, or all of them again, receive traffic', {
      eventPattern: alarmChange(alarms.healthyHosts),
    });
    hint('schedule', 'The check of every minute: events may be lost', { scheduleExpression: 'rate(1 minute)' });

    // A hint that could not be handled is not tried again: the schedule looks afresh within the minute.
    this.asynchronous(healer, { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 });
  }

  private alerts(): void {
    const { config, functions, workflow, alarms, alerts } = this.props;
    const notify = functions.get('notify');
    const alert = (name: string, description: string, on: On) => this.rule(name, description, on, notify, ALERT);

    alert('cluster-events', 'What the cluster came to', {
      eventPattern: { source: [SOURCE], 'detail-type': TOLD, detail: { cluster: [config.name] } },
    });
    // An execution that fails says so itself, with its reason; one that is cut off cannot.
    alert('cluster-cut-off', 'An execution of the cluster workflow was cut off', {
      eventPattern: executionsOf(workflow.cluster, ['TIMED_OUT', 'ABORTED']),
    });
    alert('delete-failed', 'The cluster could not be deleted', {
      eventPattern: executionsOf(workflow.deletion, ['FAILED', 'TIMED_OUT', 'ABORTED']),
    });
    alert('watchdogs', 'The self-healer itself, or who tells people, is in trouble', {
      eventPattern: {
        ...alarmChange(alarms.watchdogs),
        // Not the first evaluation of a new alarm: the schedule has to begin before it can be silent.
        detail: { state: { value: ['ALARM'] }, previousState: { value: ['OK'] } },
      },
    });

    // What could not be sent even so arrives as it is: Lambda publishes the failed event with the function's own role.
    this.asynchronous(notify, {
      maximumEventAgeInSeconds: 3600,
      maximumRetryAttempts: 2,
      destinationConfig: { onFailure: { destination: alerts.topic.topicArn } },
    });
  }

  private rule(
    name: string,
    description: string,
    on: On,
    to: lambda.Function,
    retryPolicy: CfnRule.RetryPolicyProperty,
  ) {
    const id = pascal(name);
    const rule = new CfnRule(this, id, {
      name: this.props.names.rule(name),
      description,
      ...on,
      targets: [{ id: 'function', arn: to.functionArn, retryPolicy }],
    });
    new lambda.CfnPermission(this, `${id}Permission`, {
      action: 'lambda:InvokeFunction',
      functionName: to.functionArn,
      principal: 'events.amazonaws.com',
      sourceArn: rule.attrArn,
      sourceAccount: Aws.ACCOUNT_ID,
    });
  }

  private asynchronous(
    { node, functionName }: lambda.Function,
    props: Omit<lambda.CfnEventInvokeConfigProps, 'functionName' | 'qualifier'>,
  ): void {
    new lambda.CfnEventInvokeConfig(this, `${node.id}Asynchronously`, { functionName, qualifier: '$LATEST', ...props });
  }
}

/** What a rule listens to. */
type On = { readonly eventPattern: object } | { readonly scheduleExpression: string };

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
function alarmChange(alarms: readonly cloudwatch.Alarm[]) {
  return {
    source: ['aws.cloudwatch'],
    'detail-type': ['CloudWatch Alarm State Change'],
    resources: alarms.map(({ alarmArn }) => alarmArn),
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
function executionsOf({ stateMachineArn }: sfn.StateMachine, status: readonly string[]) {
  return {
    source: ['aws.states'],
    'detail-type': ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [stateMachineArn], status },
  };
}
