/** What became of a script: its own output, or an error whose name says whether to send it again. */
import type * as z from 'zod/mini';
import type { Commands, Invocation } from '../aws/commands';
import type { Leases } from '../aws/lease';
import { AgentLost, CommandPending, InvalidScriptOutput, ScriptFailed, TryAgain } from '../cluster/errors';
import { SCRIPT_OUTPUT, type Script } from '../contracts';
import type { Logger } from '../runtime/log';
import { lastLines, parseScriptOutput, TRY_AGAIN } from '../runtime/script-output';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'removeCommand'>;
  commands: Pick<Commands, 'invocation'>;
}

/**
 * @throws CommandPending: ask again
 * @throws TryAgain: its time has not come, send it again
 * @throws ScriptFailed: for good
 * @throws AgentLost: never delivered, or no answer within its limits
 * @throws InvalidScriptOutput: success without the line of JSON that it promises
 */
export async function checkCommand(
  { execution, commandId, instanceId, script }: z.infer<typeof Input>,
  { leases, commands }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  const invocation = await commands.invocation(commandId, instanceId);
  if (!invocation?.finished) {
    throw new CommandPending(`${script} on ${instanceId} is ${invocation?.status ?? 'not known to SSM yet'}`);
  }
  await leases.removeCommand(execution, commandId);
  const { status, exitCode } = invocation;
  log.info('command ended', { status, exitCode });
  return conclude(`${script} on ${instanceId}`, script, invocation);
}

function conclude(what: string, script: Script, { status, exitCode, stdout, stderr }: Invocation) {
  const said = stderr.trim() === '' ? '' : `: ${lastLines(stderr)}`;
  switch (status) {
    case 'Success':
      return outputOf(what, script, stdout);
    case 'Failed':
      if (exitCode === TRY_AGAIN) throw new TryAgain(`${what} is to be tried again${said}`);
      throw new ScriptFailed(`${what} exited ${exitCode}${said}`);
    case 'Cancelled':
    case 'InvalidPlatform':
    case 'AccessDenied':
      throw new ScriptFailed(`${what} ended as ${status}${said}`);
    default:
      throw new AgentLost(`${what} ended as ${status}${said}`);
  }
}

function outputOf(what: string, script: Script, stdout: string): Record<string, unknown> {
  const schema: z.ZodMiniType<Record<string, unknown>> = SCRIPT_OUTPUT[script];
  const output = parseScriptOutput(schema, stdout);
  if ('faults' in output) throw new InvalidScriptOutput(`${what} succeeded, but ${output.faults.join('; ')}`);
  return output.value;
}
