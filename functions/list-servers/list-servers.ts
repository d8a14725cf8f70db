/** Whom a deletion has to deregister, terminate and forget. */
import type * as z from 'zod/mini';
import type { Instances } from '../aws/instances';
import type { Slots } from '../aws/slots';
import type { Output } from './contract';

export interface Deps {
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'byTag'>;
}

/**
 * The inventory, terminated ones included, because they are still to be forgotten; and what carries the tags without
 * being in it: left by a launch that died. An instance whose tags tell no slot is not touched: it shows up as a leftover.
 */
export async function listServers({ slots, instances }: Deps): Promise<z.infer<typeof Output>> {
  const [inventory, tagged] = await Promise.all([slots.readAll(), instances.byTag()]);
  const servers = inventory.flatMap(({ slot, instances }) => instances.map(({ instanceId }) => ({ slot, instanceId })));
  for (const { instanceId, state, tags } of tagged) {
    if (!tags || state === 'terminated' || servers.some((server) => server.instanceId === instanceId)) continue;
    servers.push({ slot: tags.slot, instanceId });
  }
  return { servers };
}
