/**
 * Looks at everything and decides nothing. A read that fails is named in `blind`, and what it would have told is
 * `unknown` (safety rule 6); only without the table nothing can be said at all.
 */
import type {
  InstanceState,
  Observation,
  ObservedInstance,
  ServerReport,
  SlotInstance,
  SlotRecord,
  TargetGroupName,
  TargetHealth,
} from '../cluster/observation';
import type { ClusterRecords } from './cluster-record';
import type { Commands } from './commands';
import { mayYetAppear } from './describe-lag';
import { explain } from './errors';
import type { Instances, Machine, StatusCheck } from './instances';
import { collectReports } from './reports';
import type { Slots } from './slots';
import type { Targets } from './targets';
import { chooseView } from './view';

export interface Sources {
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'readAll'>;
  instances: Pick<Instances, 'byTag' | 'byId' | 'statusChecks'>;
  commands: Pick<Commands, 'agents' | 'ask' | 'invocation'>;
  targets: Pick<Targets, 'health'>;
  /** How many slots the cluster is to have. */
  servers: number;
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Milliseconds since some moment. */
  elapsed(): number;
}

/** Whether the lookup of one kind failed; otherwise what it found. */
type Seen<T> = T | undefined;

/** @throws Throttled, Unavailable, MalformedItem: the table could not be read, or there is no record of a cluster */
export async function observe(sources: Sources): Promise<Observation> {
  const { records, slots, instances, commands, targets, servers, now } = sources;
  const at = now();
  const blind: string[] = [];
  const look = async <T>(what: string, read: Promise<T>): Promise<Seen<T>> => {
    try {
      return await read;
    } catch (error) {
      blind.push(`${what}: ${explain(error)}`);
      return undefined;
    }
  };

  const [cluster, inventory, tagged, http, https, api] = await Promise.all([
    records.read(),
    slots.readAll(),
    look('EC2 instances', instances.byTag()),
    look('targets of http', targets.health('http')),
    look('targets of https', targets.health('https')),
    look('targets of api', targets.health('api')),
  ]);
  if (!cluster) throw new Error('the table has no record of a cluster: acquire the lease first');

  const recorded = new Map(
    inventory.flatMap(({ slot, instances }) =>
      instances.map((launch) => [launch.instanceId, { slot, launch }] as const),
    ),
  );
  const untagged = [...recorded.keys()].filter((id) => !tagged?.some(({ instanceId }) => instanceId === id));
  const others = tagged && (await look('EC2 instances', instances.byId(untagged)));
  const machines = new Map([...(tagged ?? []), ...(others ?? [])].map((machine) => [machine.instanceId, machine]));

  const living = [...machines.values()].filter(({ state }) => state === 'running' || state === 'pending');
  const [checks, agents] = await Promise.all([
    look('EC2 status checks', instances.statusChecks(idsOf(living, 'running'))),
    look('SSM agents', commands.agents(living.map(({ instanceId }) => instanceId))),
  ]);
  const listening = idsOf(living, 'running').filter((id) => agents?.get(id) === 'online');
  const reports = await collectReports(sources, listening, blind);

  const seen: Sightings = { at, known: others !== undefined, checks, agents, reports, health: { http, https, api } };
  const observed: ObservedInstance[] = [];
  for (const instanceId of new Set([...recorded.keys(), ...machines.keys()])) {
    const place = placeOf(recorded.get(instanceId), machines.get(instanceId));
    if (place)
      observed.push(describe(instanceId, place, recorded.get(instanceId)?.launch, machines.get(instanceId), seen));
    else blind.push(`${instanceId} has the cluster's tag but none that tell its slot and generation`);
  }
  return {
    at,
    cluster,
    slots: inventory.slice(0, servers).map(({ slot, generation, instances, suspicion }): SlotRecord => {
      return { slot, generation, instances, suspicion };
    }),
    instances: observed,
    view: chooseView(reports),
    blind,
  };
}

interface Sightings {
  at: number;
  /** EC2 was asked by tag and by id: what it did not name, it does not know. */
  known: boolean;
  checks: Seen<Map<string, StatusCheck>>;
  agents: Seen<Map<string, 'online' | 'lost'>>;
  reports: Map<string, ServerReport>;
  health: Record<TargetGroupName, Seen<Map<string, TargetHealth>>>;
}

const idsOf = (machines: Machine[], wanted: InstanceState) =>
  machines.filter(({ state }) => state === wanted).map(({ instanceId }) => instanceId);

interface Place {
  slot: number;
  generation: number;
}

/** The table knows best: tags are gone soon after termination, and anybody may change them. */
function placeOf(
  recorded: { slot: number; launch: SlotInstance } | undefined,
  machine: Machine | undefined,
): Place | null {
  if (recorded) return { slot: recorded.slot, generation: recorded.launch.generation };
  return machine?.tags ?? null;
}

function describe(
  instanceId: string,
  place: Place,
  launch: SlotInstance | undefined,
  machine: Machine | undefined,
  { at, known, checks, agents, reports, health }: Sightings,
): ObservedInstance {
  const forgotten = known && !machine && launch !== undefined && !mayYetAppear(launch.launchedAt, at);
  const healthIn = (group: TargetGroupName): TargetHealth => {
    const states = health[group];
    return states ? (states.get(instanceId) ?? 'unregistered') : 'unknown';
  };
  return {
    instanceId,
    ...place,
    inventoried: launch !== undefined,
    state: machine?.state ?? (forgotten ? 'terminated' : 'unknown'),
    availabilityZone: machine?.availabilityZone ?? null,
    privateIp: machine?.privateIp ?? null,
    launchedAt: machine?.launchedAt ?? launch?.launchedAt ?? null,
    statusCheck: checks?.get(instanceId) ?? 'unknown',
    agent: machine && agents ? (agents.get(instanceId) ?? 'never') : 'unknown',
    targets: { http: healthIn('http'), https: healthIn('https'), api: healthIn('api') },
    report: reports.get(instanceId) ?? null,
  };
}
