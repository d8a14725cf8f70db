import type { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { Env as AcquireLease } from '../../functions/acquire-lease/contract';
import type { Env as AssessCluster } from '../../functions/assess-cluster/contract';
import type { Env as BeginInit } from '../../functions/begin-init/contract';
import type { Env as BuildImage } from '../../functions/build-image/contract';
import type { Env as CheckCommand } from '../../functions/check-command/contract';
import type { Env as CheckServer } from '../../functions/check-server/contract';
import type { Env as CheckTargets } from '../../functions/check-targets/contract';
import type { Env as CompleteDeletion } from '../../functions/complete-deletion/contract';
import type { Env as CompleteInit } from '../../functions/complete-init/contract';
import { SCRIPT } from '../../functions/contracts';
import type { Env as DeregisterTargets } from '../../functions/deregister-targets/contract';
import type { Env as ForgetServer } from '../../functions/forget-server/contract';
import type { Env as GuardDeletion } from '../../functions/guard-deletion/contract';
import type { Env as HandleNodeEvent } from '../../functions/handle-node-event/contract';
import type { Env as LaunchServer } from '../../functions/launch-server/contract';
import type { Env as ListServers } from '../../functions/list-servers/contract';
import type { Env as MarkAbsent } from '../../functions/mark-absent/contract';
import type { Env as Notify } from '../../functions/notify/contract';
import type { Env as PublishEvent } from '../../functions/publish-event/contract';
import type { Env as RegisterTargets } from '../../functions/register-targets/contract';
import type { Env as ReleaseLease } from '../../functions/release-lease/contract';
import type { Env as SendCommand } from '../../functions/send-command/contract';
import type { Env as TerminateServer } from '../../functions/terminate-server/contract';
import { BUILD_LIMIT } from './image';
import { Permissions, type PermissionsProps, stateMachineArn } from './permissions';

/** What a contract's environment asks for, less what every function gets. */
type Extra<Env extends { shape: object }> = Record<Exclude<keyof Env['shape'] & string, 'CLUSTER' | 'TABLE'>, string>;

/** One function: its environment beyond CLUSTER and TABLE, and what it may do. */
export interface Step {
  readonly description: string;
  readonly env: Readonly<Record<string, string>>;
  readonly statements: readonly iam.PolicyStatement[];
  /** 30 s unless said. */
  readonly timeout?: Duration;
}

function step<Env extends { shape: object }>(
  description: string,
  env: Extra<Env>,
  ...statements: iam.PolicyStatement[][]
): Step {
  return { description, env, statements: statements.flat() };
}

/** Every function of the stack, by its folder. The compiler compares each environment with the function's contract. */
export function steps(props: PermissionsProps) {
  const { config, names, network, loadBalancer, nodes, alerts, image } = props;
  const may = new Permissions(props);
  const targets = { TARGET_GROUPS: loadBalancer.targetGroupArns.join(',') };
  const servers = { SERVERS: String(config.servers) };
  const documents = { DOCUMENT_PREFIX: names.documentPrefix };
  const workflow = { STATE_MACHINE: stateMachineArn(names) };
  const version = { K3S_VERSION: config.k3sVersion };
  const launch = {
    SUBNETS: network.nodeSubnets.map((subnet) => subnet.subnetId).join(','),
    LAUNCH_TEMPLATE: nodes.launchTemplate.ref,
    LAUNCH_TEMPLATE_VERSION: nodes.launchTemplate.attrLatestVersionNumber,
    INSTANCE_TYPES: config.instanceTypes.join(','),
  };

  return {
    'acquire-lease': step<typeof AcquireLease>(
      'Takes the lease, so that one workflow at a time acts on the cluster',
      {},
      may.readTable(),
      may.writeTable(),
      may.describeExecutions(),
      may.cancelInFlight(),
    ),
    'release-lease': step<typeof ReleaseLease>(
      'Gives the lease back, cancelling what still runs on a node',
      {},
      may.readTable(),
      may.writeTable(),
      may.cancelInFlight(),
    ),
    'assess-cluster': step<typeof AssessCluster>(
      'Observes the cluster and plans what is missing',
      { ...servers, ...targets, ...documents, ...version },
      may.readTable(),
      may.writeTable(),
      may.observe(),
      may.putEvents(),
    ),
    'launch-server': step<typeof LaunchServer>(
      'Launches an instance for a slot',
      launch,
      may.readTable(),
      may.writeTable(),
      may.launchInstances(),
    ),
    'check-server': step<typeof CheckServer>(
      'Tells whether an instance is running, or terminated',
      {},
      may.readTable(),
      may.describeInstances(),
    ),
    'send-command': step<typeof SendCommand>(
      'Sends a node command',
      documents,
      may.readTable(),
      may.writeTable(),
      // ReportStatus is sent where the cluster is observed.
      may.sendCommands(SCRIPT.options.filter((script) => script !== 'ReportStatus')),
    ),
    'check-command': step<typeof CheckCommand>(
      'Reads the result of a node command',
      {},
      may.writeTable(),
      may.readCommand(),
    ),
    'begin-init': step<typeof BeginInit>(
      'Latches which server initialises the cluster',
      version,
      may.readTable(),
      may.writeTable(),
      may.describeInstances(),
      may.describeAgents(),
    ),
    'complete-init': step<typeof CompleteInit>(
      'Latches that the cluster is initialised',
      {},
      may.readTable(),
      may.writeTable(),
    ),
    'register-targets': step<typeof RegisterTargets>(
      'Registers a server with the load balancer',
      targets,
      may.readTable(),
      may.changeTargets('RegisterTargets'),
    ),
    'deregister-targets': step<typeof DeregisterTargets>(
      'Takes a server out of the load balancer',
      targets,
      may.readTable(),
      may.changeTargets('DeregisterTargets'),
    ),
    'check-targets': step<typeof CheckTargets>(
      'Tells whether every server receives traffic',
      { ...servers, ...targets },
      may.describeTargets(),
    ),
    'terminate-server': step<typeof TerminateServer>(
      'Terminates a server after observing the cluster afresh',
      { ...servers, ...targets, ...documents, ...version },
      may.readTable(),
      may.observe(),
      may.terminateInstances(),
    ),
    'forget-server': step<typeof ForgetServer>(
      'Takes a terminated server out of the inventory',
      {},
      may.readTable(),
      may.writeTable(),
    ),
    'mark-absent': step<typeof MarkAbsent>('Records that no cluster is wanted', {}, may.readTable(), may.writeTable()),
    'list-servers': step<typeof ListServers>(
      'Lists every server that the inventory or the tags know',
      {},
      may.readTable(),
      may.describeInstances(),
    ),
    'complete-deletion': step<typeof CompleteDeletion>(
      'Looks for leftovers and resets the record',
      targets,
      may.readTable(),
      may.writeTable(),
      may.describeInstances(),
      may.describeTargets(),
    ),
    'guard-deletion': step<typeof GuardDeletion>(
      'Refuses to delete the stack while servers exist',
      {},
      may.readTable(),
      may.describeInstances(),
    ),
    'publish-event': step<typeof PublishEvent>(
      'Says on the event bus what an execution came to',
      {},
      may.readTable(),
      may.writeTable(),
      may.putEvents(),
    ),
    'handle-node-event': step<typeof HandleNodeEvent>(
      'Looks at the cluster when something may have happened to it, and starts its repair',
      { ...servers, ...targets, ...workflow },
      may.scanTable(),
      may.writeTable(),
      may.glance(),
      may.describeExecutions(),
      may.startCluster(),
      may.putEvents(),
    ),
    notify: step<typeof Notify>(
      'Tells people, once per incident',
      { TOPIC: alerts.topic.topicArn, ...workflow },
      may.readTable(),
      may.writeTable(),
      may.publishAlerts(),
    ),
    ...(image && {
      'build-image': {
        ...step<typeof BuildImage>(
          "Builds the echo service's image when the stack is deployed",
          { PROJECT: image.projectName },
          may.build(image),
        ),
        timeout: BUILD_LIMIT,
      },
    }),
  } satisfies Record<string, Step>;
}

export type StepName = keyof ReturnType<typeof steps>;
