/** Sends a script to a server, unless the very same one still runs there for this execution. */
import type * as z from 'zod/mini';
import type { Commands } from '../aws/commands';
import { isInvalidInstance } from '../aws/errors';
import type { Instances } from '../aws/instances';
import type { Leases } from '../aws/lease';
import { AgentOffline, LeaseLost, ServerLost } from '../cluster/errors';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'require' | 'addCommand'>;
  commands: Pick<Commands, 'send' | 'inFlight' | 'cancel'>;
  instances: Pick<Instances, 'find'>;
}

/**
 * @throws LeaseLost
 * @throws AgentOffline: SSM knows no agent there yet, ask again
 * @throws ServerLost: the instance does not run any more
 */
export async function sendCommand(
  { execution, instanceId, script, parameters }: z.infer<typeof Input>,
  { leases, commands, instances }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  const lease = await leases.require(execution);
  // SendCommand has no client token: a step that died after sending finds its command like this.
  const running = await commands.inFlight(execution, lease.acquiredAt, instanceId);
  const alike = running.filter((command) => command.script === script);
  const same = alike.find((command) => agree(command.parameters, parameters));
  if (same) {
    log.info('found command in flight', { commandId: same.commandId });
    await record(same.commandId);
    return { commandId: same.commandId, instanceId, script };
  }
  // With other parameters it does what is not wanted any more, for instance join through a peer that is gone.
  for (const { commandId } of alike) {
    log.info('cancelling command with other parameters', { commandId });
    await commands.cancel(commandId, instanceId);
  }
  log.info('sending command');
  try {
    const commandId = await commands.send(script, instanceId, parameters, execution);
    await record(commandId);
    log.info('sent command', { commandId });
    return { commandId, instanceId, script };
  } catch (error) {
    if (!isInvalidInstance(error)) throw error;
    const machine = await instances.find(instanceId);
    if (machine && machine.state !== 'running' && machine.state !== 'pending') {
      throw new ServerLost(`${instanceId} is ${machine.state}: ${script} was not sent`, { cause: error });
    }
    throw new AgentOffline(`SSM knows no agent on ${instanceId} yet: ${script} was not sent`, { cause: error });
  }

  /** The lease went while the command was on its way: take it back, the new holder does not expect it. */
  async function record(commandId: string): Promise<void> {
    if (await leases.addCommand(execution, commandId, instanceId)) return;
    await commands.cancel(commandId, instanceId);
    throw new LeaseLost(`the lease was lost while ${script} was sent to ${instanceId}: cancelled ${commandId}`);
  }
}

/** A parameter that SSM does not list was sent empty. */
function agree(sent: Record<string, string>, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([name, value]) => (sent[name] ?? '') === value);
}
