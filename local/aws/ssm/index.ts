/**
 * Systems Manager: documents, the agents on the instances, and Run Command.
 * Not modelled, and therefore refused: rate control, notifications, output to S3 and CloudWatch, targets by tag.
 */
import type { Random } from '../../random';
import { arnOf } from '../arn';
import type { Emit } from '../events/event';
import { type Permits, sessionArn } from '../iam/authority';
import type { Need } from '../iam/need';
import { page } from '../paging';
import { provision } from '../properties';
import { AwsError, type Operation, operation, type Provision, type Service, type World } from '../service';
import { Agent } from './agent';
import { Command } from './command';
import { type Document, resolveParameters } from './document';
import { Documents, PROPERTIES } from './documents';
import { invalidInstances, invocationDoesNotExist } from './errors';
import {
  CANCEL_COMMAND,
  DESCRIBE_INSTANCE_INFORMATION,
  DOCUMENT,
  GET_COMMAND_INVOCATION,
  GET_DOCUMENT,
  LIST_COMMAND_INVOCATIONS,
  LIST_COMMANDS,
  LIST_DOCUMENTS,
  SEND_COMMAND,
} from './inputs';
import type { Instances } from './instances';
import { Invocation, stepOf } from './invocation';
import { matchesFilters, showAgent, showCommand, showInvocation, showInvocationSummary } from './views';

export type { Instances } from './instances';

export interface SsmDependencies {
  instances: Instances;
  /** Decides what agents may do. */
  authority: Permits;
  emit?: Emit;
  /** Whether an instance's address reaches AWS; true unless a partition or a hang says otherwise. */
  reachable?(address: string): boolean;
}

type AgentPredicate = (instanceId: string, tags: ReadonlyMap<string, string>) => boolean;

export class Ssm implements Service {
  readonly name = 'ssm';
  readonly protocol = 'json-1.1';
  readonly version = 'AmazonSSM';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly random: Random;
  private readonly documents: Documents;
  private readonly agents = new Map<string, Agent>();
  private readonly commands = new Map<string, Command>();
  private readonly unsubscribe: () => void;
  private mute: AgentPredicate = () => false;

  constructor(
    private readonly world: World,
    private readonly dependencies: SsmDependencies,
  ) {
    this.random = world.random.fork('ssm');
    this.documents = new Documents(world, this.random.fork('documents'));
    this.unsubscribe = dependencies.instances.onState((instanceId, state) => this.onState(instanceId, state));
    this.resources = {
      'AWS::SSM::Document': provision('AWS::SSM::Document', PROPERTIES, (properties, logicalId) =>
        this.documents.create(properties, logicalId),
      ),
    };
    this.operations = {
      ...this.documentOperations(),
      ...this.commandOperations(),
      DescribeInstanceInformation: operation({
        input: DESCRIBE_INSTANCE_INFORMATION,
        handle: ({ Filters, ...position }) => {
          const { items, next } = onePage(this.knownAgents(Filters), position);
          return { InstanceInformationList: items.map(showAgent), ...next };
        },
      }),
    };
  }

  /** Fault: the agent's process dies; the instance runs on. */
  loseAgent(instanceId: string): void {
    this.agent(instanceId).lost = true;
  }

  /** The agent is back: it reports itself, takes what waits for it and returns what it had run. */
  restoreAgent(instanceId: string): void {
    const agent = this.agent(instanceId);
    agent.lost = false;
    agent.ping();
  }

  /** Fault: agents of instances that start from now on and match never come online. */
  neverRegister(predicate: AgentPredicate): void {
    this.mute = predicate;
  }

  close(): void {
    this.unsubscribe();
    for (const agent of this.agents.values()) agent.stop();
  }

  private documentOperations(): Record<string, Operation> {
    return {
      DescribeDocument: operation({
        input: DOCUMENT,
        needs: ({ Name }) => [this.documentNeed('DescribeDocument', Name)],
        handle: ({ Name, DocumentVersion }) => ({ Document: this.documents.describe(Name, DocumentVersion) }),
      }),
      GetDocument: operation({
        input: GET_DOCUMENT,
        needs: ({ Name }) => [this.documentNeed('GetDocument', Name)],
        handle: ({ Name, DocumentVersion }) => this.documents.show(Name, DocumentVersion),
      }),
      ListDocuments: operation({
        input: LIST_DOCUMENTS,
        handle: ({ Filters, ...position }) => {
          const { items, next } = onePage(this.documents.list(Filters), position);
          return { DocumentIdentifiers: items, ...next };
        },
      }),
    };
  }

  private commandOperations(): Record<string, Operation> {
    return {
      SendCommand: operation({
        input: SEND_COMMAND,
        needs: ({ DocumentName, InstanceIds, Targets }) => [
          this.documentNeed('SendCommand', DocumentName),
          ...[...InstanceIds, ...Targets.flatMap(({ Values }) => Values)].map((id) => this.instanceNeed(id)),
        ],
        handle: (input) => {
          const document = this.documents.get(input.DocumentName, input.DocumentVersion);
          const values = resolveParameters(document, input.Parameters);
          const agents = this.targets([...input.InstanceIds, ...input.Targets.flatMap(({ Values }) => Values)]);
          const command = new Command(this.random.uuid(), input, this.world.clock.now());
          this.commands.set(command.id, command);
          for (const agent of agents) this.start(command, document, values, agent);
          return { Command: showCommand(command) };
        },
      }),
      GetCommandInvocation: operation({
        input: GET_COMMAND_INVOCATION,
        handle: ({ CommandId, InstanceId, PluginName }) => {
          const invocation = this.commands
            .get(CommandId)
            ?.invocations.find(({ instanceId, isVisible }) => isVisible && instanceId === InstanceId);
          if (!invocation) throw invocationDoesNotExist();
          return showInvocation(invocation, stepOf(invocation, PluginName));
        },
      }),
      ListCommands: operation({
        input: LIST_COMMANDS,
        handle: ({ CommandId, InstanceId, Filters, ...position }) => {
          const found = this.findCommands(CommandId).filter(
            (command) =>
              (!InstanceId || command.invocations.some(({ instanceId }) => instanceId === InstanceId)) &&
              matchesFilters(command, command.input.DocumentName, command.requestedAt, Filters),
          );
          const { items, next } = onePage(found, position);
          return { Commands: items.map(showCommand), ...next };
        },
      }),
      ListCommandInvocations: operation({
        input: LIST_COMMAND_INVOCATIONS,
        handle: ({ CommandId, InstanceId, Filters, Details, ...position }) => {
          const found = this.findCommands(CommandId)
            .flatMap(({ invocations }) => invocations)
            .filter(
              (invocation) =>
                invocation.isVisible &&
                (!InstanceId || invocation.instanceId === InstanceId) &&
                matchesFilters(invocation, invocation.order.document.name, invocation.order.requestedAt, Filters),
            );
          const { items, next } = onePage(found, position);
          return {
            CommandInvocations: items.map((invocation) => showInvocationSummary(invocation, Details)),
            ...next,
          };
        },
      }),
      CancelCommand: operation({
        input: CANCEL_COMMAND,
        handle: ({ CommandId, InstanceIds }) => {
          const command = this.commands.get(CommandId);
          if (!command) throw new AwsError('InvalidCommandId', `The command ${CommandId} does not exist.`);
          for (const invocation of command.invocations) {
            if (InstanceIds.length === 0 || InstanceIds.includes(invocation.instanceId)) invocation.cancel();
          }
          return {};
        },
      }),
    };
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html */
  private documentNeed(action: string, reference: string): Need {
    const { arn, tags } = this.documents.identityOf(reference);
    return { action: `ssm:${action}`, resource: arn, context: resourceTags(tags) };
  }

  /** Run Command is allowed for the document and, apart from it, for each instance. */
  private instanceNeed(instanceId: string): Need {
    return {
      action: 'ssm:SendCommand',
      resource: arnOf(this.world, 'ec2', `instance/${instanceId}`),
      context: resourceTags(this.tags(instanceId)),
    };
  }

  /** Newest first, as AWS lists them. */
  private findCommands(id: string | undefined): Command[] {
    if (id === undefined) return [...this.commands.values()].reverse();
    const command = this.commands.get(id);
    return command ? [command] : [];
  }

  private targets(instanceIds: string[]): Agent[] {
    if (instanceIds.length === 0) throw invalidInstances([], this.world.account);
    if (new Set(instanceIds).size < instanceIds.length) {
      throw new AwsError('DuplicateInstanceId', 'You cannot specify an instance ID in more than one association.');
    }
    const known = instanceIds.flatMap((instanceId) => {
      const agent = this.agents.get(instanceId);
      return agent?.running && agent.registeredAt !== undefined ? [agent] : [];
    });
    if (known.length === instanceIds.length) return known;
    const faulty = instanceIds.filter((instanceId) => known.every((agent) => agent.instanceId !== instanceId));
    throw invalidInstances(faulty, this.world.account);
  }

  private start(command: Command, document: Document, values: Record<string, string>, agent: Agent): void {
    const order = {
      commandId: command.id,
      document,
      documentVersion: command.documentVersion,
      values,
      comment: command.input.Comment,
      requestedAt: command.requestedAt,
      deliveryTimeoutSeconds: command.input.TimeoutSeconds,
    };
    const invocation = new Invocation(order, agent, this.world, (changed) => this.announce(changed));
    command.invocations.push(invocation);
    void invocation.run();
  }

  private announce({ order, instanceId, status }: Invocation): void {
    const { region, account } = this.world;
    this.dependencies.emit?.({
      source: 'aws.ssm',
      detailType: 'EC2 Command Invocation Status-change Notification',
      resources: [`arn:aws:ec2:${region}:${account}:instance/${instanceId}`],
      detail: {
        'command-id': order.commandId,
        'document-name': order.document.name,
        'instance-id': instanceId,
        'requested-date-time': new Date(order.requestedAt).toISOString(),
        status,
      },
    });
  }

  private knownAgents(filters: { Key: string; Values: string[] }[]): Agent[] {
    const registered = [...this.agents.values()].filter(({ registeredAt }) => registeredAt !== undefined);
    return registered.filter((agent) => filters.every(({ Key, Values }) => Values.includes(this.property(agent, Key))));
  }

  private property(agent: Agent, key: string): string {
    if (key === 'InstanceIds') return agent.instanceId;
    if (key === 'PingStatus') return agent.pingStatus;
    if (key === 'PlatformTypes') return 'Linux';
    if (key === 'ResourceType') return 'EC2Instance';
    if (key.startsWith('tag:')) return this.tags(agent.instanceId).get(key.slice(4)) ?? '';
    throw new AwsError('InvalidFilterKey', `The filter key ${key} is not valid.`);
  }

  private tags(instanceId: string): ReadonlyMap<string, string> {
    return this.dependencies.instances.instance(instanceId)?.tags ?? new Map();
  }

  private newAgent(instanceId: string): Agent {
    const { instances, authority, reachable = () => true } = this.dependencies;
    const may = (action: string) => {
      const roleArn = instances.instance(instanceId)?.roleArn;
      if (roleArn === undefined) return false;
      // The heartbeat is about an instance, the channels take no resource.
      const resource = action.startsWith('ssm:') ? arnOf(this.world, 'ec2', `instance/${instanceId}`) : '*';
      return authority.refusal(sessionArn(roleArn, instanceId), [{ action, resource }]) === undefined;
    };
    return new Agent(instanceId, this.world, instances, reachable, may);
  }

  private agent(instanceId: string): Agent {
    const agent = this.agents.get(instanceId);
    if (!agent) throw new Error(`${instanceId} has no SSM agent`);
    return agent;
  }

  private onState(instanceId: string, state: string): void {
    if (state === 'running') {
      if (this.mute(instanceId, this.tags(instanceId))) return;
      const agent = this.agents.get(instanceId) ?? this.newAgent(instanceId);
      this.agents.set(instanceId, agent);
      agent.start();
      return;
    }
    this.agents.get(instanceId)?.stop();
    // Commands keep their own reference: they time out as if the agent were dead.
    if (state === 'terminated') this.agents.delete(instanceId);
  }
}

const resourceTags = (tags: Iterable<readonly [string, string]>) =>
  Object.fromEntries(
    [...tags].flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`ssm:resourceTag/${key}`, value],
    ]),
  );

function onePage<T>(
  all: readonly T[],
  { MaxResults = 50, NextToken }: { MaxResults?: number | undefined; NextToken?: string | undefined },
): { items: T[]; next: { NextToken?: string } } {
  const refuse = () => new AwsError('InvalidNextToken', 'The specified token is not valid.');
  const { items, nextToken } = page(all, MaxResults, NextToken, refuse);
  return { items, next: nextToken === undefined ? {} : { NextToken: nextToken } };
}
