/** Whether an instance has come up, or is gone for good. */
import type * as z from 'zod/mini';
import { mayYetAppear } from '../aws/describe-lag';
import type { Instances, Machine } from '../aws/instances';
import type { Slots } from '../aws/slots';
import { ServerLost, ServerNotYet } from '../cluster/errors';
import type { Input, Output } from './contract';

export interface Deps {
  instances: Pick<Instances, 'find'>;
  slots: Pick<Slots, 'readAll'>;
  now(): number;
}

/**
 * @throws ServerNotYet: ask again
 * @throws ServerLost: it ended, with EC2's reason, while it should have come up
 */
export async function checkServer(
  { instanceId, until }: z.infer<typeof Input>,
  deps: Deps,
): Promise<z.infer<typeof Output>> {
  const machine = await deps.instances.find(instanceId);
  if (until === 'terminated') {
    if (!machine && (await mayAppear(instanceId, deps))) throw new ServerNotYet(`EC2 does not know ${instanceId} yet`);
    if (machine && machine.state !== 'terminated') throw new ServerNotYet(`${instanceId} is ${machine.state}`);
    return answer(instanceId, 'terminated', machine);
  }
  if (!machine) throw new ServerNotYet(`EC2 does not know ${instanceId} yet`);
  const { state, stateReason, privateIp } = machine;
  if (state === 'running' && privateIp !== null) return answer(instanceId, 'running', machine);
  if (state === 'running' || state === 'pending' || state === 'unknown')
    throw new ServerNotYet(`${instanceId} is ${state}`);
  throw new ServerLost(`${instanceId} is ${state}${stateReason ? ` (${stateReason})` : ''}`);
}

/** An instance that was launched a moment ago is not gone because EC2 does not name it. */
async function mayAppear(instanceId: string, { slots, now }: Deps): Promise<boolean> {
  const launches = (await slots.readAll()).flatMap(({ instances }) => instances);
  return launches.some((launch) => launch.instanceId === instanceId && mayYetAppear(launch.launchedAt, now()));
}

function answer(instanceId: string, state: 'running' | 'terminated', machine: Machine | null) {
  return {
    instanceId,
    state,
    availabilityZone: machine?.availabilityZone ?? null,
    privateIp: machine?.privateIp ?? null,
  };
}
