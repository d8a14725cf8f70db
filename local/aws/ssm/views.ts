/** How commands, invocations and agents look to callers. */
import type { Agent } from './agent';
import type { Command } from './command';
import type { CommandFilters } from './inputs';
import type { Invocation, InvocationStatus, StepResult } from './invocation';

/** Characters of output that ListCommandInvocations shows. Source: API reference, CommandPlugin.Output. */
const MAX_PLUGIN_OUTPUT = 2500;

export function showCommand(command: Command) {
  const { id, input, invocations, requestedAt } = command;
  const count = (...statuses: InvocationStatus[]) =>
    invocations.filter(({ status }) => statuses.includes(status)).length;
  return {
    CommandId: id,
    DocumentName: input.DocumentName,
    DocumentVersion: command.documentVersion,
    Comment: input.Comment,
    ExpiresAfter: new Date(requestedAt + input.TimeoutSeconds * 1000),
    Parameters: input.Parameters,
    InstanceIds: input.InstanceIds,
    Targets: input.Targets,
    RequestedDateTime: new Date(requestedAt),
    Status: command.status,
    StatusDetails: command.statusDetails,
    MaxConcurrency: '50',
    MaxErrors: '0',
    TargetCount: invocations.length,
    CompletedCount: invocations.filter(({ isFinal }) => isFinal).length,
    ErrorCount: count('Failed'),
    DeliveryTimedOutCount: invocations.filter(({ statusDetails }) => statusDetails === 'DeliveryTimedOut').length,
    TimeoutSeconds: input.TimeoutSeconds,
  };
}

export function showInvocation({ order, instanceId, status, statusDetails }: Invocation, step: StepResult) {
  const { startedAt, finishedAt } = step;
  return {
    CommandId: order.commandId,
    InstanceId: instanceId,
    Comment: order.comment,
    DocumentName: order.document.name,
    DocumentVersion: order.documentVersion,
    PluginName: step.name,
    ResponseCode: step.responseCode,
    ExecutionStartDateTime: startedAt?.toISOString() ?? '',
    ExecutionElapsedTime: startedAt && finishedAt ? `PT${(finishedAt.getTime() - startedAt.getTime()) / 1000}S` : '',
    ExecutionEndDateTime: finishedAt?.toISOString() ?? '',
    // One step: the command's state. Several: each step's own.
    Status: order.document.steps.length === 1 ? status : step.status,
    StatusDetails: order.document.steps.length === 1 ? statusDetails : step.statusDetails,
    StandardOutputContent: step.stdout,
    StandardOutputUrl: '',
    StandardErrorContent: step.stderr,
    StandardErrorUrl: '',
  };
}

export function showInvocationSummary(invocation: Invocation, details: boolean) {
  const { order, instanceId, status, statusDetails, steps } = invocation;
  return {
    CommandId: order.commandId,
    InstanceId: instanceId,
    InstanceName: '',
    Comment: order.comment,
    DocumentName: order.document.name,
    DocumentVersion: order.documentVersion,
    RequestedDateTime: new Date(order.requestedAt),
    Status: status,
    StatusDetails: statusDetails,
    StandardOutputUrl: '',
    StandardErrorUrl: '',
    CommandPlugins: details ? steps.map(showStep) : [],
  };
}

function showStep(step: StepResult) {
  const output = step.stderr ? `${step.stdout}\n----------ERROR-------\n${step.stderr}` : step.stdout;
  return {
    Name: step.name,
    Status: step.status,
    StatusDetails: step.statusDetails,
    ResponseCode: step.responseCode,
    ResponseStartDateTime: step.startedAt,
    ResponseFinishDateTime: step.finishedAt,
    Output: output.slice(0, MAX_PLUGIN_OUTPUT),
  };
}

export function showAgent(agent: Agent) {
  return {
    InstanceId: agent.instanceId,
    PingStatus: agent.pingStatus,
    LastPingDateTime: new Date(agent.lastPingAt),
    /** The first version with ENV_VAR interpolation; images of Amazon Linux 2023 bring it or a newer one. */
    AgentVersion: '3.3.2746.0',
    IsLatestVersion: true,
    PlatformType: 'Linux',
    PlatformName: 'Amazon Linux',
    PlatformVersion: '2023',
    ResourceType: 'EC2Instance',
    IPAddress: agent.host?.address,
  };
}

interface Filterable {
  status: InvocationStatus;
}

const OPEN: readonly InvocationStatus[] = ['Pending', 'InProgress', 'Delayed', 'Cancelling'];

export function matchesFilters(
  { status }: Filterable,
  documentName: string,
  requestedAt: number,
  filters: CommandFilters,
): boolean {
  const satisfies = ({ key, value }: CommandFilters[number]): boolean => {
    switch (key) {
      case 'Status':
        return status === value;
      case 'DocumentName':
        return documentName === value;
      case 'ExecutionStage':
        return OPEN.includes(status) === (value === 'Executing');
      case 'InvokedAfter':
        return requestedAt > Date.parse(value);
      case 'InvokedBefore':
        return requestedAt < Date.parse(value);
    }
  };
  return filters.every(satisfies);
}
