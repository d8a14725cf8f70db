/**
 * Looks at everything and decides nothing. A read that fails is named in `blind`, and what it would have told is
 * `unknown` (safety rule 6); only without the table nothing can be said at all.
 */
import type { Observation } from '../cluster/observation';
import type { ClusterRecords } from './cluster-record';
import type { Commands } from './commands';
import type { Instances } from './instances';
import { collectReports } from './reports';
import type { Slots } from './slots';
import { assemble, idsOf, type SurveySources, survey } from './survey';
import { TARGET_GROUP_NAMES } from './targets';

export interface Sources extends SurveySources {
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'readAll'>;
  instances: SurveySources['instances'] & Pick<Instances, 'statusChecks'>;
  commands: Pick<Commands, 'agents' | 'ask' | 'invocation'>;
  /** How many slots the cluster is to have. */
  servers: number;
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** @throws Throttled, Unavailable, MalformedItem: the table could not be read, or there is no record of a cluster */
export async function observe(sources: Sources): Promise<Observation> {
  const { records, slots, instances, commands, servers, now } = sources;
  const [cluster, surveyed] = await Promise.all([
    records.read(),
    survey(sources, now(), slots.readAll(), TARGET_GROUP_NAMES),
  ]);
  if (!cluster) throw new Error('the table has no record of a cluster: acquire the lease first');
  const running = idsOf(surveyed, 'running');
  const [checks, agents] = await Promise.all([
    surveyed.look('EC2 status checks', instances.statusChecks(running)),
    surveyed.look('SSM agents', commands.agents(idsOf(surveyed, 'running', 'pending'))),
  ]);
  const listening = running.filter((id) => agents?.get(id) === 'online');
  const reports = await collectReports(sources, listening, surveyed.blind);
  return assemble(surveyed, cluster, servers, { checks, agents, reports });
}
