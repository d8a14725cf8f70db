/** The last state of every workflow, however it ends. */
import type * as z from 'zod/mini';
import type { CommandOnInstance } from '../aws/in-flight';
import type { Lease, Leases } from '../aws/lease';
import { CommandInFlight } from '../cluster/errors';
import { leaseHolder } from '../cluster/names';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  leases: Pick<Leases, 'read' | 'release'>;
  /** Cancels what the holder's commands still do on nodes, and names it. */
  cancelInFlight(lease: Lease): Promise<CommandOnInstance[]>;
}

/** @throws CommandInFlight: the next holder must not act on a node while a command of ours does */
export async function releaseLease(
  { execution }: z.infer<typeof Input>,
  { leases, cancelInFlight }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  const lease = await leases.read();
  if (!lease || leaseHolder(lease.holder) !== leaseHolder(execution)) return { released: false };
  log.info('releasing lease');
  const running = await cancelInFlight(lease);
  if (running.length > 0) {
    const names = running.map(({ commandId, instanceId }) => `${commandId} on ${instanceId}`).join(', ');
    throw new CommandInFlight(`still running, and being cancelled: ${names}`);
  }
  const released = await leases.release(execution);
  log.info('released lease');
  return { released };
}
