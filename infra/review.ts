import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import type { Config } from './config';
import type { ClusterStack } from './lib/cluster-stack';
import { namesOf } from './names';

/** A finding of cdk-nag that stays, and why. */
export interface Acknowledgement {
  /** Path of a construct within the stack; it holds for what is below, too. */
  readonly at: string;
  readonly rule: string;
  readonly reason: string;
}

/**
 * The findings of cdk-nag's AwsSolutions rules that stay. A test finds those that nothing calls for any more.
 * https://github.com/cdklabs/cdk-nag/blob/main/RULES.md#awssolutions
 */
export function acknowledgements(config: Config): readonly Acknowledgement[] {
  const names = namesOf(config.name);
  const ec2 = 'arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>';
  const execution = (machine: string) =>
    `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${machine}:*`;
  const open = (at: string, resource: string, reason: string): Acknowledgement => ({
    at,
    rule: `AwsSolutions-IAM5[Resource::${resource}]`,
    reason,
  });
  const unnarrowable =
    'Only actions for which AWS knows no narrower resource: ANY_RESOURCE in infra/lib/permissions.ts has the reason of each, and a test compares it with the service authorization reference';
  const tagged = "Instance ids are not known in advance: a condition demands the cluster's tag";
  const created = "What a launch creates has no id yet: conditions demand the launch template and the cluster's tag";
  const started = 'Executions get their names when they are started; the state machine is named';
  return [
    open('Functions', '*', unnarrowable),
    open('Nodes/Role', '*', unnarrowable),
    open('Workflow', '*', unnarrowable),
    open('Functions', execution(names.stateMachine), started),
    open('Functions', execution(names.deleteStateMachine), started),
    open('Functions', `${ec2}:instance/*`, tagged),
    open('Functions/LaunchServerRole', `${ec2}:volume/*`, created),
    open('Functions/LaunchServerRole', `${ec2}:network-interface/*`, created),
    open(
      'Nodes/Role',
      `${ec2}:instance/*`,
      'The heartbeat of the agent is about the instance whose credentials send it',
    ),
    ...(config.tcpechoImage === undefined
      ? [
          open('EchoImage/Role', '*', unnarrowable),
          {
            at: 'EchoImage/Project',
            rule: 'AwsSolutions-CB4',
            reason:
              'The key is for artifacts: the build has none, it pushes an image. A key of its own costs $1 a month',
          },
        ]
      : []),
    {
      at: 'Network/LoadBalancerGroup',
      rule: 'AwsSolutions-EC23',
      reason:
        'The load balancer serves the Internet on 80 and 443; servers admit the load balancer and each other only',
    },
    {
      at: 'Network/Vpc',
      rule: 'AwsSolutions-VPC7',
      reason:
        'Flow logs cost $0.50 per GB of log and nothing here reads them; docs/security.md says how to switch them on',
    },
    {
      at: 'LoadBalancer/Nlb',
      rule: 'AwsSolutions-ELB2',
      reason:
        'A Network Load Balancer logs requests of TLS listeners only, and these are TCP listeners: the log would stay empty. https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html',
    },
    {
      at: 'State/JoinToken',
      rule: 'AwsSolutions-SMG4',
      reason:
        'A schedule would break the cluster: the token also encrypts the bootstrap data in etcd, so K3s itself has to change it, on every server. https://docs.k3s.io/cli/token#server',
    },
    {
      at: 'Workflow',
      rule: 'AwsSolutions-SF2',
      reason:
        'History and log of an execution have every state with its times; X-Ray would add permissions on every resource and tell nothing more, as the functions are not traced',
    },
  ];
}

/** Has synthesis fail on what cdk-nag's AwsSolutions rules find and nobody has acknowledged. */
export function review(app: App, stack: ClusterStack, config: Config): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  for (const { at, rule, reason } of acknowledgements(config)) {
    let construct: IConstruct = stack;
    for (const id of at.split('/')) construct = construct.node.findChild(id);
    Validations.of(construct).acknowledge({ id: rule, reason });
  }
}
