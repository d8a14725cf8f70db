/** What EC2 and the load balancer say of the servers, put together with the inventory: the common part of every look. */
import type {
  ClusterRecord,
  InstanceState,
  Observation,
  ObservedInstance,
  ServerReport,
  SlotInstance,
  SlotRecord,
  TargetGroupName,
  TargetHealth,
} from '../cluster/observation';
import type { AgentStatus } from './commands';
import { explain } from './errors';
import type { Instances, Machine, StatusCheck } from './instances';
import type { Targets } from './targets';
import { chooseView } from './view';

/** An instance younger than this may be missing from EC2's answers; an older one that is missing has been forgotten. */
export const DESCRIBE_LAG_MS = 600_000;

export interface SurveySources {
  instances: Pick<Instances, 'byTag' | 'byId'>;
  targets: Pick<Targets, 'health'>;
}

/** Undefined: the lookup failed; otherwise what it found. */
export type Seen<T> = T | undefined;

export interface Survey {
  /** Epoch ms. */
  at: number;
  inventory: SlotRecord[];
  machines: Map<string, Machine>;
  /** EC2 was asked by tag and by id: what it did not name, it does not know. */
  known: boolean;
  health: Partial<Record<TargetGroupName, Seen<Map<string, TargetHealth>>>>;
  blind: string[];
  /** Reads one more thing; a failure is named in `blind` (safety rule 6). */
  look<T>(what: string, read: Promise<T>): Promise<Seen<T>>;
}

/**
 * Looks at EC2 and at these target groups.
 * @param records read at the same time; only without the table nothing can be said at all
 */
export async function survey(
  { instances, targets }: SurveySources,
  at: number,
  records: Promise<SlotRecord[]>,
  groups: readonly TargetGroupName[],
): Promise<Survey> {
  const blind: string[] = [];
  const look = async <T>(what: string, read: Promise<T>): Promise<Seen<T>> => {
    try {
      return await read;
    } catch (error) {
      blind.push(`${what}: ${explain(error)}`);
      return undefined;
    }
  };
  const [inventory, tagged, ...healths] = await Promise.all([
    records,
    look('EC2 instances', instances.byTag()),
    ...groups.map((group) => look(`targets of ${group}`, targets.health(group))),
  ]);
  const recorded = inventory.flatMap((slot) => slot.instances.map(({ instanceId }) => instanceId));
  const untagged = recorded.filter((id) => !tagged?.some(({ instanceId }) => instanceId === id));
  const others = tagged && (await look('EC2 instances', instances.byId(untagged)));
  return {
    at,
    inventory,
    machines: new Map([...(tagged ?? []), ...(others ?? [])].map((machine) => [machine.instanceId, machine])),
    known: others !== undefined,
    health: Object.fromEntries(groups.map((group, index) => [group, healths[index]])),
    blind,
    look,
  };
}

/** Ids of the machines in this state. */
export function idsOf({ machines }: Pick<Survey, 'machines'>, ...wanted: InstanceState[]): string[] {
  return [...machines.values()].filter(({ state }) => wanted.includes(state)).map(({ instanceId }) => instanceId);
}

/** What else was looked at. Nothing of it: `unknown`. */
export interface Details {
  checks?: Seen<Map<string, StatusCheck>>;
  agents?: Seen<Map<string, AgentStatus>>;
  reports?: Map<string, ServerReport>;
}

/** @param servers how many slots the cluster is to have */
export function assemble(survey: Survey, cluster: ClusterRecord, servers: number, details: Details): Observation {
  const { at, inventory, machines, blind } = survey;
  const recorded = new Map(
    inventory.flatMap(({ slot, instances }) =>
      instances.map((launch) => [launch.instanceId, { slot, launch }] as const),
    ),
  );
  const instances: ObservedInstance[] = [];
  for (const instanceId of new Set([...recorded.keys(), ...machines.keys()])) {
    const entry = recorded.get(instanceId);
    const place = placeOf(entry, machines.get(instanceId));
    if (place) instances.push(describe(instanceId, place, entry?.launch, survey, details));
    else blind.push(`${instanceId} has the cluster's tag but none that tell its slot and generation`);
  }
  return {
    at,
    cluster,
    slots: inventory.slice(0, servers).map(slotRecord),
    instances,
    view: chooseView(details.reports ?? new Map()),
    blind,
  };
}

/** The record without what only a launch needs. */
function slotRecord({ slot, generation, instances, suspicion, departures, replacing }: SlotRecord): SlotRecord {
  return { slot, generation, instances, suspicion, departures, replacing };
}

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
  { at, known, machines, health }: Survey,
  { checks, agents, reports }: Details,
): ObservedInstance {
  const machine = machines.get(instanceId);
  const forgotten = known && !machine && at - (launch?.launchedAt ?? at) > DESCRIBE_LAG_MS;
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
    privateIp: machine?.privateIp ?? launch?.privateIp ?? null,
    launchedAt: machine?.launchedAt ?? launch?.launchedAt ?? null,
    statusCheck: checks?.get(instanceId) ?? 'unknown',
    agent: machine && agents ? (agents.get(instanceId) ?? 'never') : 'unknown',
    targets: { http: healthIn('http'), https: healthIn('https'), api: healthIn('api') },
    report: reports?.get(instanceId) ?? null,
  };
}
