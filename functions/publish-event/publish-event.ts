/** Tells how an execution ended, and remembers what the healer must know of it. */
import type * as z from 'zod/mini';
import type { Bus } from '../aws/bus';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Healer } from '../aws/healer';
import type { Slots } from '../aws/slots';
import { incidentOf } from '../cluster/concern';
import type { ClusterEvent } from '../events';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';
import { type Converged, convergedEvents, type Memory, type Teller } from './converged';
import { type Failed, failedEvents } from './failed';

export interface Deps {
  cluster: string;
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'readAll' | 'clearReplacing'>;
  healer: Pick<Healer, 'read' | 'settle' | 'noteRefusal' | 'noteAnnounced'>;
  bus: Pick<Bus, 'publish'>;
  now(): number;
}

export async function publishEvent(
  { execution, outcome }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<z.infer<typeof Output>> {
  const record = await deps.records.read();
  const teller: Teller = {
    cluster: deps.cluster,
    execution: execution.id,
    paused: record?.paused ?? false,
    at: deps.now(),
  };
  const events =
    outcome.status === 'failed'
      ? await tellFailure(outcome, teller, deps)
      : record === null
        ? []
        : await tellSuccess(
            outcome,
            { cluster: record, slots: await deps.slots.readAll(), healing: await deps.healer.read() },
            teller,
            deps,
          );
  for (const { detailType, detail } of events) {
    const { incident, reason, decision } = detail;
    // Events are not kept anywhere: from this line `npm run measure` knows when the trouble began.
    const times = 'seconds' in detail ? { since: detail.since, seconds: detail.seconds } : {};
    log.info('published event', { detailType, incident, reason, decision, ...times });
  }
  return { published: events.map(({ detailType }) => detailType) };
}

/** Remembered first: even if nobody can be told, the healer must not try the same again every minute. */
async function tellFailure(outcome: Failed, teller: Teller, { bus, healer }: Deps): Promise<ClusterEvent[]> {
  const events = failedEvents(outcome, teller);
  await healer.noteRefusal({ incident: events[0].detail.incident, at: teller.at });
  await bus.publish(events);
  return events;
}

/** Told first: what is forgotten before it was told would never be. */
async function tellSuccess(
  outcome: Converged,
  memory: Memory,
  teller: Teller,
  { bus, healer, slots }: Deps,
): Promise<ClusterEvent[]> {
  const { cluster, healing } = memory;
  const events = convergedEvents(outcome, memory, teller);
  await bus.publish(events);
  for (const { slot, replacing } of memory.slots) if (replacing) await slots.clearReplacing(slot, replacing.instanceId);
  if (healing.announced !== cluster.incarnation) await healer.noteAnnounced(cluster.incarnation);
  if (outcome.concern) await healer.noteRefusal({ incident: incidentOf(outcome.concern), at: teller.at });
  else if (healing.attempt || healing.refusal) await healer.settle();
  return events;
}
