/**
 * The cheap look that the healer takes every minute. It asks no server and sees no Nodes: what it does not look at is
 * `unknown`, and counts neither for nor against a server.
 */
import type { Observation, SlotRecord, TargetGroupName } from '../cluster/observation';
import type { Healing } from '../cluster/triage';
import type { ClusterRecords } from './cluster-record';
import type { Commands } from './commands';
import type { Healer } from './healer';
import type { Lease, Leases } from './lease';
import type { Slots } from './slots';
import { assemble, type SurveySources, survey } from './survey';
import { TARGET_GROUP_NAMES } from './targets';

/** What the table says. */
export interface Remembered {
  cluster: Awaited<ReturnType<ClusterRecords['read']>>;
  slots: SlotRecord[];
  lease: Lease | null;
  healing: Healing;
}

/** @param read adapters of one snapshot of the table, so that all of it is one call */
export async function remember(read: {
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'readAll'>;
  leases: Pick<Leases, 'read'>;
  healer: Pick<Healer, 'read'>;
}): Promise<Remembered> {
  const [cluster, slots, lease, healing] = await Promise.all([
    read.records.read(),
    read.slots.readAll(),
    read.leases.read(),
    read.healer.read(),
  ]);
  return { cluster, slots, lease, healing };
}

/**
 * The target groups of the routine look. `https` has the targets and the health check of `http`: once a minute its call
 * goes to SSM instead, whose lost agents nothing else would notice.
 */
const ROUTINE_GROUPS: readonly TargetGroupName[] = ['http', 'api'];

/**
 * @param routine four calls: for the schedule. Otherwise every target group is asked.
 */
export async function glance(
  sources: SurveySources & { commands: Pick<Commands, 'agents'>; servers: number },
  { cluster, slots }: { cluster: NonNullable<Remembered['cluster']>; slots: SlotRecord[] },
  at: number,
  routine: boolean,
): Promise<Observation> {
  const recorded = slots.flatMap((slot) => slot.instances.map(({ instanceId }) => instanceId));
  const surveying = survey(sources, at, Promise.resolve(slots), routine ? ROUTINE_GROUPS : TARGET_GROUP_NAMES);
  const asking = sources.commands.agents(recorded);
  // Both at once; whichever fails is named by the survey.
  asking.catch(() => {});
  const surveyed = await surveying;
  const agents = await surveyed.look('SSM agents', asking);
  return assemble(surveyed, cluster, sources.servers, { agents });
}
