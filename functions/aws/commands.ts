/** SSM Run Command: scripts sent to servers, and what became of them. */
import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  ListCommandsCommand,
  SendCommandCommand,
  type SendCommandCommandInput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { leaseHolder } from '../cluster/names';
import { type ExecutionRef, SCRIPT, type Script } from '../contracts';
import { type ClientSettings, clientSettings } from './client';
import { attempt, isNotFound } from './errors';

/**
 * Seconds until an agent must have taken a command, at least 30 (SSM's minimum). SSM shows a dead machine's agent as
 * online for up to five minutes; this is how long it takes to notice.
 */
const DELIVERY_TIMEOUT_SECONDS = 30;

/** SSM's detailed statuses, normalised: some are written with spaces or in American spelling. */
const STATUSES = [
  'Pending',
  'InProgress',
  'Delayed',
  'Cancelling',
  'Success',
  'Failed',
  'Cancelled',
  'DeliveryTimedOut',
  'ExecutionTimedOut',
  'Undeliverable',
  'Terminated',
  'InvalidPlatform',
  'AccessDenied',
] as const;
export type CommandStatus = (typeof STATUSES)[number];

const UNFINISHED: readonly CommandStatus[] = ['Pending', 'InProgress', 'Delayed', 'Cancelling'];
const isFinished = (status: CommandStatus) => !UNFINISHED.includes(status);

/** What a script did on one instance. */
export interface Invocation {
  status: CommandStatus;
  /** Nothing of it runs any more. */
  finished: boolean;
  /** -1 while it runs, and when it never did. */
  exitCode: number;
  /** Empty until it has finished; SSM cuts it at 24,000 characters. */
  stdout: string;
  /** Empty until it has finished; SSM cuts it at 8,000 characters. */
  stderr: string;
}

/** A command that has not finished on every instance it was sent to. */
export interface UnfinishedCommand {
  commandId: string;
  /** Null: not one of this cluster's documents. */
  script: Script | null;
  instanceIds: string[];
  parameters: Record<string, string>;
}

export type AgentStatus = 'online' | 'lost';

/** Marks the commands of one execution. SSM allows 100 characters; the end of the name tells executions apart. */
const commentOf = (execution: ExecutionRef) => leaseHolder(execution).slice(-100);

export class Commands {
  private readonly client: SSMClient;
  /** SendCommand knows no client token: sent again after a broken connection, a script would run twice. */
  private readonly sendingOnce: SSMClient;

  /** @param prefix of the names of this cluster's documents; only who sends or names scripts needs it */
  constructor(
    settings: ClientSettings,
    private readonly prefix = '',
  ) {
    this.client = new SSMClient(clientSettings(settings));
    // A retry strategy that the platform brings would overrule the number of attempts.
    this.sendingOnce = new SSMClient({ ...clientSettings(settings), maxAttempts: 1, retryStrategy: undefined });
  }

  /**
   * Sends a script that changes something: once. A fault leaves open whether it was sent; ask `inFlight`.
   * @throws see isInvalidInstance: SSM knows no agent there, or the instance is not running
   */
  send(
    script: Script,
    instanceId: string,
    parameters: Record<string, string>,
    execution: ExecutionRef,
  ): Promise<string> {
    return this.sendThrough(this.sendingOnce, {
      DocumentName: this.prefix + script,
      InstanceIds: [instanceId],
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
      Comment: commentOf(execution),
    });
  }

  /** Sends a script that only reads: again, where need be. @throws as `send` */
  ask(script: Script, instanceIds: string[]): Promise<string> {
    return this.sendThrough(this.client, {
      DocumentName: this.prefix + script,
      InstanceIds: instanceIds,
      Comment: 'observing',
    });
  }

  /** Null: SSM does not know it there, or not yet: right after SendCommand that is common. */
  async invocation(commandId: string, instanceId: string): Promise<Invocation | null> {
    try {
      const found = await attempt('GetCommandInvocation', () =>
        this.client.send(new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId })),
      );
      const status = statusOf(found.StatusDetails ?? found.Status ?? '');
      return {
        status,
        finished: isFinished(status),
        exitCode: found.ResponseCode ?? -1,
        stdout: found.StandardOutputContent ?? '',
        stderr: found.StandardErrorContent ?? '',
      };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** Asks the agent to stop it. Only `invocation` tells whether it did. */
  async cancel(commandId: string, instanceId: string): Promise<void> {
    await attempt('CancelCommand', () =>
      this.client.send(new CancelCommandCommand({ CommandId: commandId, InstanceIds: [instanceId] })),
    );
  }

  /** Unfinished commands of this execution that were sent after `since`, epoch ms. */
  async inFlight(execution: ExecutionRef, since: number, instanceId?: string): Promise<UnfinishedCommand[]> {
    const comment = commentOf(execution);
    const unfinished: UnfinishedCommand[] = [];
    // SSM takes whole seconds; one more, because its clock is not ours.
    const after = `${new Date(since - 1000).toISOString().slice(0, 19)}Z`;
    let NextToken: string | undefined;
    do {
      const page = await attempt('ListCommands', () =>
        this.client.send(
          new ListCommandsCommand({
            InstanceId: instanceId,
            Filters: [{ key: 'InvokedAfter', value: after }],
            NextToken,
          }),
        ),
      );
      for (const command of page.Commands ?? []) {
        const { CommandId, DocumentName = '', InstanceIds = [], Parameters = {}, Status = '' } = command;
        if (!CommandId || command.Comment !== comment || isFinished(commandStatusOf(Status))) continue;
        unfinished.push({
          commandId: CommandId,
          script: this.scriptOf(DocumentName),
          instanceIds: InstanceIds,
          parameters: Object.fromEntries(Object.entries(Parameters).map(([name, [value = '']]) => [name, value])),
        });
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return unfinished;
  }

  /** Agents that SSM knows; it notices a lost one only after minutes. */
  async agents(instanceIds: string[]): Promise<Map<string, AgentStatus>> {
    const agents = new Map<string, AgentStatus>();
    if (instanceIds.length === 0) return agents;
    let NextToken: string | undefined;
    do {
      const page = await attempt('DescribeInstanceInformation', () =>
        this.client.send(
          new DescribeInstanceInformationCommand({
            Filters: [{ Key: 'InstanceIds', Values: instanceIds }],
            NextToken,
          }),
        ),
      );
      for (const { InstanceId, PingStatus } of page.InstanceInformationList ?? []) {
        if (InstanceId) agents.set(InstanceId, PingStatus === 'Online' ? 'online' : 'lost');
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return agents;
  }

  private scriptOf(document: string): Script | null {
    const script = SCRIPT.safeParse(document.startsWith(this.prefix) ? document.slice(this.prefix.length) : null);
    return script.success ? script.data : null;
  }

  private async sendThrough(client: SSMClient, request: SendCommandCommandInput): Promise<string> {
    const { Command } = await attempt('SendCommand', () =>
      client.send(new SendCommandCommand({ ...request, TimeoutSeconds: DELIVERY_TIMEOUT_SECONDS })),
    );
    if (!Command?.CommandId) throw new Error('SendCommand answered without a command id');
    return Command.CommandId;
  }
}

/** @throws when SSM says something that its documentation does not */
function statusOf(text: string): CommandStatus {
  const plain = text.replaceAll(' ', '').replace('Canceled', 'Cancelled');
  const status = STATUSES.find((known) => known === plain);
  if (!status) throw new Error(`SSM reports an unknown command status: "${text}"`);
  return status;
}

/** Of a command as a whole, which has one status more: `TimedOut`, for either of its two limits. */
const commandStatusOf = (text: string) => (text === 'TimedOut' ? 'ExecutionTimedOut' : statusOf(text));
