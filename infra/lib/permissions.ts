import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { TAG } from '../../functions/cluster/names';
import type { Script } from '../../functions/contracts';
import { SOURCE } from '../../functions/events';
import type { Config } from '../config';
import type { Names } from '../names';
import type { Alerts } from './alerts';
import type { EchoImage } from './image';
import type { LoadBalancer } from './load-balancer';
import type { Network } from './network';
import type { Nodes } from './nodes';
import type { State } from './state';

/**
 * Actions that IAM lets no one narrow to a resource, each with what that means here. Nothing else may be granted on `*`.
 * Source for each: its service's page in https://docs.aws.amazon.com/service-authorization/latest/reference/
 */
export const ANY_RESOURCE: Readonly<Record<string, string>> = {
  'ec2:DescribeInstances': 'reads only; EC2 describe actions take no resource',
  'ec2:DescribeInstanceStatus': 'reads only; EC2 describe actions take no resource',
  'ec2:DescribeSubnets': 'reads only; EC2 describe actions take no resource',
  'elasticloadbalancing:DescribeTargetHealth': 'reads only; ELB describe actions take no resource',
  'ssm:DescribeInstanceInformation': 'reads only; takes no resource',
  'ssm:GetCommandInvocation': 'reads output of commands, which carries no secrets; takes no resource',
  'ssm:ListCommands': 'reads names and states of commands; takes no resource',
  'ssm:CancelCommand': 'takes no resource; the function cancels the command ids of its own lease only',
  'ssmmessages:CreateControlChannel': "the agent's own channel; takes no resource",
  'ssmmessages:CreateDataChannel': "the agent's own channel; takes no resource",
  'ssmmessages:OpenControlChannel': "the agent's own channel; takes no resource",
  'ssmmessages:OpenDataChannel': "the agent's own channel; takes no resource",
  'ecr:GetAuthorizationToken': 'a login to the registry, which opens no repository by itself; takes no resource',
  'logs:CreateLogDelivery': 'logging of a state machine; log delivery actions take no resource',
  'logs:GetLogDelivery': 'logging of a state machine; log delivery actions take no resource',
  'logs:UpdateLogDelivery': 'logging of a state machine; log delivery actions take no resource',
  'logs:DeleteLogDelivery': 'logging of a state machine; log delivery actions take no resource',
  'logs:ListLogDeliveries': 'logging of a state machine; log delivery actions take no resource',
  'logs:PutResourcePolicy': 'logging of a state machine; takes no resource',
  'logs:DescribeResourcePolicies': 'logging of a state machine; takes no resource',
  'logs:DescribeLogGroups': 'logging of a state machine; needs every group to list one',
};

/** Grants actions on every resource: only those that can be granted in no other way. */
export function anyResource(...actions: string[]): iam.PolicyStatement {
  const unexplained = actions.filter((action) => !(action in ANY_RESOURCE));
  if (unexplained.length > 0) throw new Error(`${unexplained.join(', ')}: no reason to grant on every resource`);
  return new iam.PolicyStatement({ actions, resources: ['*'] });
}

export interface PermissionsProps {
  readonly config: Config;
  readonly names: Names;
  readonly network: Network;
  readonly loadBalancer: LoadBalancer;
  readonly nodes: Nodes;
  readonly state: State;
  readonly alerts: Alerts;
  /** Undefined: the configuration names one. */
  readonly image: EchoImage | undefined;
}

/** The policy statements that functions are composed of. ARNs of state machines are built by name: they come later. */
export class Permissions {
  constructor(private readonly props: PermissionsProps) {}

  /** Every read and every conditional write is of a single item: nothing puts or deletes. */
  readTable(): iam.PolicyStatement[] {
    return [this.table('dynamodb:GetItem')];
  }

  writeTable(): iam.PolicyStatement[] {
    return [this.table('dynamodb:UpdateItem')];
  }

  /** The whole inventory, of a dozen small items, in one consistent read: what the check of every minute is made of. */
  scanTable(): iam.PolicyStatement[] {
    return [this.table('dynamodb:Scan')];
  }

  /** Whether the execution that holds the lease still runs. */
  describeExecutions(): iam.PolicyStatement[] {
    const { stateMachine, deleteStateMachine } = this.props.names;
    return [
      new iam.PolicyStatement({
        actions: ['states:DescribeExecution'],
        resources: [stateMachine, deleteStateMachine].map((name) => arn('states', `execution:${name}:*`)),
      }),
    ];
  }

  startCluster(): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn(this.props.names)] }),
    ];
  }

  /** In the cluster's own name only: nobody can be made to believe that AWS said it. */
  putEvents(): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: ['events:PutEvents'],
        resources: [arn('events', 'event-bus/default')],
        conditions: { StringEquals: { 'events:source': SOURCE } },
      }),
    ];
  }

  /** The topic's key is AWS' own, whose policy admits every role that may publish. */
  publishAlerts(): iam.PolicyStatement[] {
    return [new iam.PolicyStatement({ actions: ['sns:Publish'], resources: [this.props.alerts.topic.topicArn] })];
  }

  describeInstances(): iam.PolicyStatement[] {
    return [anyResource('ec2:DescribeInstances')];
  }

  describeAgents(): iam.PolicyStatement[] {
    return [anyResource('ssm:DescribeInstanceInformation')];
  }

  describeTargets(): iam.PolicyStatement[] {
    return [anyResource('elasticloadbalancing:DescribeTargetHealth')];
  }

  /** The look of every minute: what AWS says of the servers, without asking them. */
  glance(): iam.PolicyStatement[] {
    return [
      anyResource(
        'ec2:DescribeInstances',
        'elasticloadbalancing:DescribeTargetHealth',
        'ssm:DescribeInstanceInformation',
      ),
    ];
  }

  /** A fresh look at everything: instances, agents, targets, and K3s as its servers report it. */
  observe(): iam.PolicyStatement[] {
    return [
      anyResource(
        'ec2:DescribeInstances',
        'ec2:DescribeInstanceStatus',
        'elasticloadbalancing:DescribeTargetHealth',
        'ssm:DescribeInstanceInformation',
        'ssm:GetCommandInvocation',
      ),
      ...this.sendCommand(['ReportStatus']),
    ];
  }

  changeTargets(action: 'RegisterTargets' | 'DeregisterTargets'): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: [`elasticloadbalancing:${action}`],
        resources: [...this.props.loadBalancer.targetGroupArns],
      }),
    ];
  }

  readCommand(): iam.PolicyStatement[] {
    return [anyResource('ssm:GetCommandInvocation')];
  }

  /** Finds the commands of an execution that ended, and cancels those that still run on an instance. */
  cancelInFlight(): iam.PolicyStatement[] {
    return [anyResource('ssm:ListCommands', 'ssm:GetCommandInvocation', 'ssm:CancelCommand', 'ec2:DescribeInstances')];
  }

  /**
   * SendCommand is authorised once for the document and once for each instance. Only instances carry the tag, so they
   * need statements of their own: with one condition over both, every call would be denied.
   */
  sendCommand(scripts: readonly Script[]): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: ['ssm:SendCommand'],
        resources: scripts.map((script) => arn('ssm', `document/${this.props.names.documentPrefix}${script}`)),
      }),
      new iam.PolicyStatement({
        actions: ['ssm:SendCommand'],
        resources: [anyInstance()],
        conditions: { StringEquals: { [`ssm:resourceTag/${TAG.cluster}`]: this.props.config.name } },
      }),
    ];
  }

  terminateInstances(): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: ['ec2:TerminateInstances'],
        resources: [anyInstance()],
        conditions: { StringEquals: { [`ec2:ResourceTag/${TAG.cluster}`]: this.props.config.name } },
      }),
    ];
  }

  /** Finds a command that was sent just before a crash, takes one back that was sent without the lease, sends one. */
  sendCommands(scripts: readonly Script[]): iam.PolicyStatement[] {
    return [
      anyResource('ssm:ListCommands', 'ssm:CancelCommand', 'ec2:DescribeInstances'),
      ...this.sendCommand(scripts),
    ];
  }

  /**
   * RunInstances is authorised for each resource it touches, with the condition keys that this resource type knows:
   * request tags on what is created, and never on what exists (there they would deny).
   * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
   */
  launchInstances(): iam.PolicyStatement[] {
    const { config, network, nodes } = this.props;
    const template = arn('ec2', `launch-template/${nodes.launchTemplate.ref}`);
    const fromTemplate = { ArnEquals: { 'ec2:LaunchTemplate': template } };
    const tagged = { StringEquals: { [`aws:RequestTag/${TAG.cluster}`]: config.name } };
    const created = [arn('ec2', 'volume/*'), arn('ec2', 'network-interface/*')];
    const instances = anyInstance();
    return [
      // Whether it was launched before, and in which zone there was no capacity.
      anyResource('ec2:DescribeInstances', 'ec2:DescribeSubnets'),
      new iam.PolicyStatement({
        actions: ['ec2:RunInstances'],
        resources: [template, ...network.nodeSubnets.map((subnet) => arn('ec2', `subnet/${subnet.subnetId}`))],
        conditions: fromTemplate,
      }),
      // Not even an equal value in the request may stand in for the template's own. The subnet has to come with the
      // request, and with it the network interface.
      new iam.PolicyStatement({
        actions: ['ec2:RunInstances'],
        resources: [
          `arn:${Aws.PARTITION}:ec2:${Aws.REGION}::image/${nodes.imageId}`,
          arn('ec2', `security-group/${network.nodeGroupId}`),
        ],
        conditions: { ...fromTemplate, Bool: { 'ec2:IsLaunchTemplateResource': 'true' } },
      }),
      new iam.PolicyStatement({
        actions: ['ec2:RunInstances'],
        resources: created,
        conditions: { ...fromTemplate, ...tagged },
      }),
      new iam.PolicyStatement({
        actions: ['ec2:RunInstances'],
        resources: [instances],
        conditions: {
          ...fromTemplate,
          StringEquals: {
            ...tagged.StringEquals,
            'ec2:InstanceType': config.instanceTypes,
            'ec2:MetadataHttpTokens': 'required',
          },
        },
      }),
      new iam.PolicyStatement({
        actions: ['ec2:CreateTags'],
        resources: [instances, ...created],
        conditions: { StringEquals: { 'ec2:CreateAction': 'RunInstances', ...tagged.StringEquals } },
      }),
      new iam.PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [nodes.role.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
      }),
    ];
  }

  /** Starts a build of this project and looks how it is. */
  build(image: EchoImage): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: ['codebuild:StartBuild', 'codebuild:BatchGetBuilds'],
        resources: [image.projectArn],
      }),
    ];
  }

  private table(...actions: string[]): iam.PolicyStatement {
    return new iam.PolicyStatement({ actions, resources: [this.props.state.table.tableArn] });
  }
}

/** The cluster's state machine, by name: functions start it, and it invokes them. */
export function stateMachineArn(names: Names): string {
  return arn('states', `stateMachine:${names.stateMachine}`);
}

/** Every instance of the account in the region: what narrows it is a condition, or whose credentials make the call. */
export function anyInstance(): string {
  return arn('ec2', 'instance/*');
}

/** An ARN in this stack's account and region. */
export function arn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}
