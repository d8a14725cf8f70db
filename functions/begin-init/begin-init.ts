/** Latches the cluster to the one instance that may initialise it (safety rule 12). */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Commands } from '../aws/commands';
import { mayYetAppear } from '../aws/describe-lag';
import type { Instances } from '../aws/instances';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import { AgentOffline, LatchRefused } from '../cluster/errors';
import type { ClusterRecord } from '../cluster/observation';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  k3sVersion: string;
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read' | 'beginInit' | 'moveInit'>;
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'find'>;
  commands: Pick<Commands, 'agents'>;
  now(): number;
}

/**
 * Of the candidates, the first whose agent is online: agents need from seconds to minutes, and one is enough to begin.
 * Once latched, it stays the one.
 * @throws LeaseLost
 * @throws AgentOffline: no candidate takes commands yet, ask again
 * @throws LatchRefused: the cluster is initialised, or another instance may still be initialising it
 */
export async function beginInit(
  { execution, candidates }: z.infer<typeof Input>,
  { k3sVersion, leases, records, slots, instances, commands, now }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  const record = await records.read();
  const latchedTo = latched(record);
  if (latchedTo !== null && candidates.includes(latchedTo)) return { instanceId: latchedTo };
  const agents = await commands.agents(candidates);
  const instanceId = candidates.find((candidate) => agents.get(candidate) === 'online');
  if (instanceId === undefined) throw new AgentOffline(`no agent is online yet on ${candidates.join(', ')}`);
  log.info('latching cluster', { phase: record?.phase.name, instanceId });
  // A false answer may hide a write that took effect: only the record knows.
  if (!(await latch(record, instanceId)) && latched(await records.read()) !== instanceId) {
    throw new LatchRefused(`the record changed while ${instanceId} was to initialise the cluster`);
  }
  log.info('latched cluster', { instanceId });
  return { instanceId };

  async function latch(found: ClusterRecord | null, chosen: string): Promise<boolean> {
    if (found?.desired !== 'present') throw new LatchRefused('the cluster is not wanted: it is not initialised');
    const { phase } = found;
    if (phase.name === 'initialised') throw new LatchRefused('the cluster is initialised: it never is a second time');
    if (phase.name === 'uninitialised') return records.beginInit(chosen, k3sVersion);
    const state = await stateOf(phase.instanceId);
    // Nothing can have joined it, or the latch would be `initialised`. Terminated is for ever; anything else may yet run.
    if (state !== 'terminated')
      throw new LatchRefused(`${phase.instanceId} is initialising the cluster and is ${state}`);
    return records.moveInit(phase.instanceId, chosen, k3sVersion);
  }

  async function stateOf(former: string): Promise<string> {
    const machine = await instances.find(former);
    if (machine) return machine.state;
    const launches = (await slots.readAll()).flatMap((slot) => slot.instances);
    const launch = launches.find((candidate) => candidate.instanceId === former);
    return launch && mayYetAppear(launch.launchedAt, now()) ? 'not known to EC2 yet' : 'terminated';
  }
}

/** The instance that may initialise the cluster; null while none may. */
function latched(record: ClusterRecord | null): string | null {
  return record?.desired === 'present' && record.phase.name === 'initialising' ? record.phase.instanceId : null;
}
