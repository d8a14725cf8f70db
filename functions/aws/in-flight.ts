/** The commands of a lease holder that still run on nodes: nobody else may act before they have ended. */
import type { Commands } from './commands';
import type { Instances } from './instances';
import type { Lease } from './lease';

export interface CommandOnInstance {
  commandId: string;
  instanceId: string;
}

/**
 * Makes the function that cancels what a holder's commands still do, and says what that was: empty when nothing is in flight any more. The
 * lease lists its commands; one sent just before a crash is known to SSM only. What ran on a terminated instance has
 * ended, whatever SSM believes until its limits are reached.
 */
export function canceller(
  commands: Pick<Commands, 'inFlight' | 'invocation' | 'cancel'>,
  instances: Pick<Instances, 'byId'>,
): (lease: Lease) => Promise<CommandOnInstance[]> {
  return async (lease) => {
    const listed = await commands.inFlight(lease.holder, lease.acquiredAt);
    const known = new Map(Object.entries(lease.commands));
    for (const { commandId, instanceIds } of listed) {
      for (const instanceId of instanceIds) known.set(commandId, instanceId);
    }
    const candidates = [...known].map(([commandId, instanceId]): CommandOnInstance => ({ commandId, instanceId }));
    const ended = await Promise.all(
      candidates.map(async ({ commandId, instanceId }) => {
        const invocation = await commands.invocation(commandId, instanceId);
        return invocation?.finished ?? false;
      }),
    );
    const unfinished = candidates.filter((_, index) => !ended[index]);
    if (unfinished.length === 0) return [];
    const machines = await instances.byId(unfinished.map(({ instanceId }) => instanceId));
    // An agent answered there once, so EC2 knew the instance: if it does not any more, it is long gone.
    const existing = new Set(
      machines.filter(({ state }) => state !== 'terminated').map(({ instanceId }) => instanceId),
    );
    const running = unfinished.filter(({ instanceId }) => existing.has(instanceId));
    await Promise.all(running.map(({ commandId, instanceId }) => commands.cancel(commandId, instanceId)));
    return running;
  };
}
