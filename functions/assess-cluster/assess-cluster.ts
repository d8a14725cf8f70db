/** Observes and decides. Changes nothing on the cluster; notes in the table only what the next look must remember. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import type { Observation, Suspicion } from '../cluster/observation';
import { summarise } from '../cluster/readiness';
import { nextSuspicions } from '../cluster/suspicion';
import { assess } from '../cluster/verdict';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

export interface Deps {
  k3sVersion: string;
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'setAppliedManifests'>;
  slots: Pick<Slots, 'setSuspicion'>;
  observe(): Promise<Observation>;
}

/** @throws LeaseLost */
export async function assessCluster(
  { execution, manifests, applied }: z.infer<typeof Input>,
  { k3sVersion, leases, records, slots, observe }: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  await leases.require(execution);
  if (applied !== null) await records.setAppliedManifests(applied);
  log.info('assessing cluster');
  const observation = await observe();
  const { action, reason, recheckAfterSeconds, plan } = assess(observation, { k3sVersion, manifests });
  for (const { slot, suspicion } of nextSuspicions(observation)) {
    const former = observation.slots.find((record) => record.slot === slot)?.suspicion ?? null;
    if (!same(former, suspicion)) await slots.setSuspicion(slot, suspicion);
  }
  log.info('assessed cluster', { verdict: action, reason, blind: observation.blind });
  const verdict = action === 'none' ? 'converged' : action;
  return { verdict, reason, recheckAfterSeconds, plan, servers: summarise(observation) };
}

function same(a: Suspicion | null, b: Suspicion | null): boolean {
  if (!a || !b) return a === b;
  return a.instanceId === b.instanceId && a.since === b.since && a.signals.join() === b.signals.join();
}
