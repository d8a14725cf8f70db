/** Observes and decides. Changes nothing on the cluster; notes in the table only what the next look must remember. */
import type * as z from 'zod/mini';
import type { Bus } from '../aws/bus';
import type { ClusterRecords } from '../aws/cluster-record';
import { explain } from '../aws/errors';
import type { Healer } from '../aws/healer';
import type { Leases } from '../aws/lease';
import type { Slots } from '../aws/slots';
import type { Observation, Suspicion } from '../cluster/observation';
import { summarise } from '../cluster/readiness';
import { nextSuspicions } from '../cluster/suspicion';
import { assess, type Verdict } from '../cluster/verdict';
import type { ClusterEvent } from '../events';
import type { Logger } from '../runtime/log';
import { replacementStarted, replacementsThatBegin, suspicionsThatBegin, type Teller } from './beginnings';
import type { Input, Output } from './contract';

const SHORTEST_WAIT_SECONDS = 5;

export interface Deps {
  cluster: string;
  k3sVersion: string;
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'setAppliedManifests'>;
  slots: Pick<Slots, 'setSuspicion' | 'setReplacing'>;
  healer: Pick<Healer, 'read'>;
  bus: Pick<Bus, 'publish'>;
  observe(): Promise<Observation>;
  now(): number;
}

/** @throws LeaseLost */
export async function assessCluster(
  { execution, manifests, applied }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  const { cluster, k3sVersion, leases, records, observe } = deps;
  await leases.require(execution);
  if (applied !== null) await records.setAppliedManifests(applied);
  log.info('assessing cluster');
  const observation = await observe();
  const verdict = assess(observation, { k3sVersion, manifests });
  const events = await remember(observation, verdict, { cluster, execution: execution.id }, deps);
  await tell(events, deps, log);
  const { action, reason, recheckAfterSeconds, plan, concern } = verdict;
  log.info('assessed cluster', { verdict: action, reason, blind: observation.blind });
  return {
    verdict: action === 'none' ? 'converged' : action,
    reason,
    recheckAfterSeconds: remaining(recheckAfterSeconds, deps.now() - observation.at),
    plan,
    concern,
    servers: summarise(observation),
  };
}

/** The verdict counts from the moment of the look; looking at servers that do not answer takes a while. */
function remaining(seconds: number, elapsedMs: number): number {
  return seconds === 0 ? 0 : Math.max(Math.ceil(seconds - elapsedMs / 1000), SHORTEST_WAIT_SECONDS);
}

/** What begins with this look, after it was written down. */
async function remember(
  observation: Observation,
  verdict: Verdict,
  teller: Teller,
  { slots, healer }: Deps,
): Promise<ClusterEvent[]> {
  const suspicions = nextSuspicions(observation);
  for (const { slot, suspicion } of suspicions) {
    const former = observation.slots.find((record) => record.slot === slot)?.suspicion ?? null;
    if (!same(former, suspicion)) await slots.setSuspicion(slot, suspicion);
  }
  const events = suspicionsThatBegin(observation, suspicions, verdict, teller);
  if (verdict.plan.retire.length === 0) return events;
  const { attempt } = await healer.read();
  for (const replacement of replacementsThatBegin(observation, verdict, attempt?.noticedAt ?? null)) {
    await slots.setReplacing(replacement.slot, replacement);
    events.push(replacementStarted(replacement, observation.cluster.paused, teller));
  }
  return events;
}

/** These two kinds inform; the alert follows when the outcome is known. Healing must not wait for them. */
async function tell(events: ClusterEvent[], { bus }: Deps, log: Logger): Promise<void> {
  if (events.length === 0) return;
  try {
    await bus.publish(events);
  } catch (error) {
    log.error('publishing events failed', {
      events: events.map(({ detailType }) => detailType),
      reason: explain(error),
    });
  }
}

function same(a: Suspicion | null, b: Suspicion | null): boolean {
  if (!a || !b) return a === b;
  return (
    a.instanceId === b.instanceId &&
    a.since === b.since &&
    a.lastSeen === b.lastSeen &&
    a.signals.join() === b.signals.join()
  );
}
